#include "apps/router/show.hpp"

#include "tests/support/check.hpp"

using signalbox::app::show;

TEST(an object is two columns) {
  CHECK_EQUAL(show(R"({"state":"ready","uptime_seconds":3700,)"
                   R"("sessions":{"polling":1,"websocket":20},)"
                   R"("resident_memory_bytes":20971520,"ok":true})"),
              "state               ready\n"
              "uptime              1 h 1 min\n"
              "sessions polling    1\n"
              "sessions websocket  20\n"
              "resident memory     20 MiB\n"
              "ok                  yes\n");
}

TEST(a list of objects is a table) {
  CHECK_EQUAL(show(R"([{"dialect":"eio4","sessions":10},)"
                   R"({"dialect":"v09","sessions":2,"more":null}])"),
              "dialect  sessions  more\n"
              "eio4     10        -\n"
              "v09      2         -\n");
  CHECK_EQUAL(show(R"({"online":true,"connections":[{"id":"a"},{"id":"b"}]})"),
              "online  yes\nconnections:\n  id\n  a\n  b\n");
  CHECK_EQUAL(show("[]"), "none\n");
  CHECK_EQUAL(show(R"({"online":false,"connections":[]})"),
              "online       no\nconnections  none\n");
}

TEST(columns hold in any language) {
  CHECK_EQUAL(show("[{\"a\":\"\xC3\xA4\",\"b\":1},{\"a\":\"xy\",\"b\":2}]"),
              "a   b\n\xC3\xA4   1\nxy  2\n");
}

TEST(nothing moves the cursor of a terminal) {
  CHECK_EQUAL(show(R"({"a":"x\u001b[2J\u009b1\n\u007f"})"),
              "a  x\\x1b[2J\\x9b1\\x0a\\x7f\n");
  CHECK_EQUAL(show("no\x1bJSON"), "no\\x1bJSON\n");
}
