#include "transports/net/tls_files.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::net;

TEST(a list of ciphers is checked name by name) {
  for (const auto* good :
       {"ECDHE+AESGCM:ECDHE+CHACHA20", "ECDHE-RSA-AES128-GCM-SHA256",
        "HIGH:!aNULL:!eNULL", "ECDHE+AESGCM,-AES256 @STRENGTH",
        "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256:ECDHE+AESGCM", ""}) {
    MESSAGE(good);
    CHECK_EQUAL(check_rules({good, false}), "");
  }
  CHECK(check_rules({"ECDHE+AESGCM:RUBBISH", false})
          .starts_with("ciphers: \"RUBBISH\" is no cipher that OpenSSL knows"));
  CHECK(check_rules({"TLS_RUBBISH", false})
          .starts_with("ciphers: \"TLS_RUBBISH\" is no cipher"));
  CHECK(
    check_rules({"AES128-SHA:!AES", false}).starts_with("ciphers: nothing"));
}

TEST(ciphers that hide nothing are refused) {
  for (const auto* bad :
       {"ALL:eNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0"}) {
    MESSAGE(bad);
    auto why = check_rules({bad, false});
    CHECK(why.starts_with("ciphers: "));
    CHECK(why.find("hides nothing, or proves nothing") != why.npos);
  }
}

TEST(what cannot be read holds no certificates) {
  CHECK(read_certificates("/nowhere/x.pem").empty());
}
