#include "apps/router/commands.hpp"

#include "apps/router/listen.hpp"
#include "apps/router/show.hpp"
#include "apps/router/units.hpp"
#include "transports/codec/base64.hpp"
#include "transports/codec/json_scan.hpp"
#include "transports/codec/json_text.hpp"
#include "transports/codec/uri.hpp"
#include "transports/net/http_client.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <iostream>

namespace signalbox::app {

namespace {

/// A router on a loaded machine still answers within this time; a confirm adds
/// its own deadline.
constexpr auto call_timeout = std::chrono::seconds{10};
constexpr auto default_confirm = std::chrono::milliseconds{5000};

std::string environment(const char* name) {
  const auto* x = std::getenv(name);
  return x == nullptr ? std::string{} : std::string{x};
}

/// The base URL of the API: the flag, the environment, or where a router with
/// these settings listens.
std::string base_url(const command_line& line, const std::string& listen) {
  auto url = line.value("url", environment("SIGNALBOX_URL"));
  if (url.empty())
    url = "http://" + listen;
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

std::string key_of(const command_line& line, const settings& opts) {
  auto key = line.value("key", environment("SIGNALBOX_KEY"));
  if (key.empty() && !opts.ingest.keys.empty())
    key = opts.ingest.keys.front().key;
  return key;
}

std::string encode_segment(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.') {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

/// Prints an answer as it was asked for.
void print(const command_line& line, const std::string& answer) {
  if (for_people(line))
    std::cout << show(answer);
  else
    std::cout << answer << "\n";
}

/// Says that another listener was meant, if the answer is of that kind.
void hint(const net::client_reply& reply, const std::string& url,
          std::string_view path) {
  auto ours = reply.body.starts_with("{\"ok\":false,\"error\":{\"code\"")
              && reply.status != 404 && reply.status != 405;
  if (reply.status < 300 || ours)
    return;
  auto operations = path == "status" || path == "clients" || path == "cluster";
  std::cerr << "signalbox: " << codec::hide_user_info(url) << " answered "
            << reply.status << "; is that the address of "
            << (operations ? "listen.operations" : "listen.ingest")
            << "? (--url=http://HOST:PORT)\n";
}

/// Makes one call and prints the answer. Returns the exit code.
int call(const command_line& line, std::string_view method,
         const std::string& url, const std::string& key, std::string body,
         std::chrono::milliseconds timeout) {
  auto where = codec::parse_url(url);
  if (!where) {
    std::cerr << "signalbox: " << codec::hide_user_info(url)
              << " is no URL; give --url=http://HOST:PORT\n";
    return 1;
  }
  std::string error;
  auto tls = net::tls_context::client({}, error);
  net::loop loop{0};
  net::http_client::options bounds;
  bounds.connect_timeout = call_timeout;
  bounds.timeout = timeout;
  bounds.max_reply = 16 << 20;
  net::http_client client{loop, bounds, std::move(tls)};
  net::client_request x;
  x.method = method;
  x.url = *where;
  if (!key.empty())
    x.headers.emplace_back("Authorization", "Bearer " + key);
  x.headers.emplace_back("Content-Type", "application/json");
  x.body = std::move(body);
  auto code = 1;
  client.call(std::move(x), [&](net::client_reply reply) {
    if (!reply.error.empty())
      std::cerr << "signalbox: cannot reach " << url << ": " << reply.error
                << "; is the router running there? (--url=http://HOST:PORT)\n";
    else
      print(line, reply.body);
    if (reply.error.empty())
      hint(reply, url, line.command);
    code = reply.error.empty() && reply.status < 300 ? 0 : 1;
    loop.stop();
  });
  loop.run();
  return code;
}

bool looks_like_json(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos
         && std::string_view{"{[\"-0123456789"}.find(text[first]) != text.npos;
}

/// Puts the event of `emit` together.
bool make_event(const command_line& line, std::string& out,
                std::chrono::milliseconds& timeout) {
  auto quote_list = [&line](const std::string& flag) {
    std::string list;
    auto i = line.flags.find(flag);
    if (i != line.flags.end())
      for (const auto& each : i->second) {
        list += list.empty() ? '[' : ',';
        codec::quote_json(each, list);
      }
    return list.empty() ? list : list + ']';
  };
  out = "{\"namespace\":";
  codec::quote_json(line.value("namespace", "/"), out);
  out += ",\"type\":";
  codec::quote_json(line.args.front(), out);
  if (line.args.size() > 1) {
    const auto& payload = line.args[1];
    out += ",\"payload\":";
    // A word is meant as a text; what begins like JSON is meant as that.
    if (codec::scan_json(payload, {})) {
      out += payload;
    } else if (looks_like_json(payload)) {
      std::cerr << "signalbox: the payload is no JSON; put it into single "
                   "quotes, and names and texts in it into double ones: '"
                   R"({"to":"anna"}')"
                << "\n";
      return false;
    } else {
      codec::quote_json(payload, out);
    }
  }
  auto users = quote_list("to-user");
  auto rooms = quote_list("to-room");
  if ((users.empty() ? 0 : 1) + (rooms.empty() ? 0 : 1)
        + (line.has("to-all") ? 1 : 0)
      > 1) {
    std::cerr << "signalbox: give one of --to-user, --to-room, --to-all\n";
    return false;
  }
  if (!users.empty())
    out += ",\"to\":{\"users\":" + users + "}";
  else if (!rooms.empty())
    out += ",\"to\":{\"rooms\":" + rooms + "}";
  else if (line.has("to-all"))
    out += ",\"to\":\"all\"";
  if (line.has("volatile"))
    out += ",\"volatile\":true";
  if (line.has("idempotency-key")) {
    out += ",\"key\":";
    codec::quote_json(line.value("idempotency-key"), out);
  }
  if (line.has("confirm")) {
    auto text = line.value("confirm");
    auto deadline = text.empty()
                      ? default_confirm
                      : parse_duration(text).value_or(default_confirm);
    timeout += deadline;
    out +=
      ",\"confirm\":{\"deadline_ms\":" + std::to_string(deadline.count()) + "}";
  }
  out += '}';
  return true;
}

} // namespace

int new_key() {
  unsigned char bytes[24];
  if (::getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
    std::cerr << "signalbox: the system gives no random bytes\n";
    return 1;
  }
  std::string key;
  codec::encode_base64url({reinterpret_cast<char*>(bytes), sizeof(bytes)}, key);
  std::cout << key << "\n";
  if (::isatty(STDOUT_FILENO) == 1)
    std::cerr << "Put it into the environment of the router and of the site:\n"
                 "  SIGNALBOX_INGEST_KEYS='[{\"name\":\"site\",\"key\":\""
              << key << "\"}]'\n  SIGNALBOX_KEY=" << key << "\n";
  return 0;
}

int run_command(const command_line& line, const settings& opts) {
  std::chrono::milliseconds timeout = call_timeout;
  if (line.command == "status" || line.command == "clients")
    return call(line, "GET",
                base_url(line, opts.listen.operations) + "/api/v1/"
                  + line.command,
                {}, {}, timeout);
  if (line.command == "cluster") {
    auto at = base_url(line, opts.listen.operations) + "/api/v1/cluster";
    const auto& what = line.args.front();
    if (what == "status")
      return call(line, "GET", at, {}, {}, timeout);
    return call(line, "POST",
                at + "/" + what
                  + (line.args.size() > 1 ? "/" + line.args[1] : ""),
                {}, {}, timeout);
  }
  auto url = base_url(line, opts.listen.ingest) + "/api/v1/";
  auto key = key_of(line, opts);
  if (key.empty()) {
    std::cerr << "signalbox: no key; give --key=KEY, SIGNALBOX_KEY, or a "
                 "--config with ingest.keys\n";
    return 1;
  }
  if (line.command == "listen")
    return listen(line, base_url(line, opts.listen.ingest), key);
  if (line.command == "emit") {
    std::string body;
    if (!make_event(line, body, timeout))
      return 1;
    return call(line, "POST", url + "events", key, std::move(body), timeout);
  }
  auto code = 0;
  for (const auto& user : line.args) {
    if (for_people(line) && line.args.size() > 1)
      std::cout << (user == line.args.front() ? "" : "\n") << plain_text(user)
                << ":\n";
    auto one = line.command == "presence"
                 ? call(line, "GET", url + "users/" + encode_segment(user), key,
                        {}, timeout)
                 : call(line, "POST",
                        url + "users/" + encode_segment(user) + "/disconnect",
                        key, "{}", timeout);
    code = std::max(code, one);
  }
  return code;
}

} // namespace signalbox::app
