#include "apps/load/options.hpp"

#include "apps/load/marker.hpp"
#include "transports/codec/uri.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

namespace signalbox::load {

namespace {

// Takes the value of one option; returns what is wrong with it.
using setter = std::function<std::string(const std::string&)>;

template <class T>
setter number(T& out, uint64_t least, uint64_t most) {
  return [&out, least, most](const std::string& text) -> std::string {
    uint64_t value = 0;
    const auto* end = text.data() + text.size();
    auto [stop, ec] = std::from_chars(text.data(), end, value);
    if (ec != std::errc{} || stop != end || value < least || value > most)
      return "give a number from " + std::to_string(least) + " to "
             + std::to_string(most);
    out = T(value);
    return {};
  };
}

setter text(std::string& out) {
  return [&out](const std::string& value) -> std::string {
    out = value;
    return {};
  };
}

setter address(options& out) {
  return [&out](const std::string& value) -> std::string {
    auto url = codec::parse_url("http://" + value);
    if (!url || url->target != "/")
      return "give HOST:PORT, such as 127.0.0.1:8400";
    out.host = url->host;
    out.port = url->port;
    return {};
  };
}

setter transport(options& out) {
  return [&out](const std::string& value) -> std::string {
    if (value != "websocket" && value != "polling")
      return "give websocket or polling";
    out.polling = value == "polling";
    return {};
  };
}

setter dialects(options& out) {
  return [&out](const std::string& value) -> std::string {
    out.dialects.clear();
    for (auto rest = std::string_view{value}; !rest.empty();) {
      auto end = std::min(rest.find(','), rest.size());
      auto found = codec::parse_dialect(rest.substr(0, end));
      if (!found)
        return "give eio4, eio3 or v09, or some with commas between";
      out.dialects.push_back(*found);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out.dialects.empty() ? "give eio4, eio3 or v09" : "";
  };
}

setter mode(options& out) {
  return [&out](const std::string& value) -> std::string {
    for (auto x : {run_mode::idle, run_mode::connect, run_mode::broadcast,
                   run_mode::private_, run_mode::echo})
      if (value == to_string(x)) {
        out.mode = x;
        return {};
      }
    return "give idle, connect, broadcast, private or echo";
  };
}

setter server(options& out) {
  return [&out](const std::string& value) -> std::string {
    pid_t id = 0;
    auto wrong = number(id, 1, 4194304)(value);
    out.servers.push_back(id);
    return wrong;
  };
}

std::map<std::string, setter> setters(options& out) {
  constexpr uint64_t most = 100'000'000;
  return {
    {"--url", address(out)},
    {"--path", text(out.path)},
    {"--n", number(out.clients, 1, 1'000'000)},
    {"--transport", transport(out)},
    {"--dialect", dialects(out)},
    {"--namespace", text(out.nsp)},
    {"--cookie", text(out.cookie)},
    {"--auth", text(out.auth)},
    {"--user", text(out.user)},
    {"--mode", mode(out)},
    {"--m", number(out.messages, 1, most)},
    {"--warm-up", number(out.warm_up, 0, most)},
    {"--size", number(out.size, marker_size, 16'000'000)},
    {"--window", number(out.window, 1, most)},
    {"--batch", number(out.batch, 1, 1000)},
    {"--publishers", number(out.publishers, 1, 256)},
    {"--concurrency", number(out.concurrency, 1, 4096)},
    {"--ingest", text(out.ingest)},
    {"--key", text(out.key)},
    {"--type", text(out.type)},
    {"--publish-url", text(out.publish_url)},
    {"--server-pid", server(out)},
    {"--deadline",
     [&out](const std::string& x) {
       uint32_t seconds = 0;
       auto wrong = number(seconds, 1, 86400)(x);
       out.deadline = std::chrono::seconds{seconds};
       return wrong;
     }},
    {"--hold",
     [&out](const std::string& x) {
       uint32_t seconds = 0;
       auto wrong = number(seconds, 0, 86400)(x);
       out.hold = std::chrono::seconds{seconds};
       return wrong;
     }},
  };
}

bool has_line_break(const std::string& x) {
  return x.find_first_of("\r\n") != std::string::npos;
}

std::string check(const options& x) {
  if (x.port == 0)
    return "--url is missing; give the public listener as HOST:PORT";
  auto publishes =
    x.mode == run_mode::broadcast || x.mode == run_mode::private_;
  if (publishes && x.ingest.empty() == x.publish_url.empty())
    return "give either --ingest HOST:PORT with --key, or --publish-url URL";
  if (!x.ingest.empty() && x.key.empty())
    return "--key is missing; give a key from ingest.keys of the router";
  if (x.batch > 1 && x.ingest.empty())
    return "--batch needs --ingest; --publish-url takes one message a request";
  auto today = x.dialects == std::vector{codec::dialect::eio4};
  if (!today && (x.polling || x.mode == run_mode::echo || !x.auth.empty()))
    return "--dialect is for WebSocket, without echo and --auth";
  if (!x.path.starts_with('/') || !x.nsp.starts_with('/'))
    return "--path and --namespace start with a slash";
  if (has_line_break(x.cookie) || has_line_break(x.key)
      || has_line_break(x.path))
    return "--cookie, --key and --path are one line each";
  if (uint64_t{x.messages} + x.warm_up > UINT32_MAX
      || (x.mode == run_mode::broadcast
          && (uint64_t{x.messages} + x.warm_up) * x.clients > 64'000'000'000))
    return "too many deliveries to keep account of; lower --m or --n";
  return {};
}

} // namespace

const char* to_string(run_mode x) noexcept {
  switch (x) {
  case run_mode::idle:
    return "idle";
  case run_mode::connect:
    return "connect";
  case run_mode::broadcast:
    return "broadcast";
  case run_mode::private_:
    return "private";
  default:
    return "echo";
  }
}

std::string parse_options(const std::vector<std::string>& words, options& out) {
  auto known = setters(out);
  for (size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--help" || word == "-h") {
      out.help = true;
      return {};
    }
    if (word == "--to") {
      out.direct = true;
      continue;
    }
    auto sign = word.find('=');
    auto name = word.substr(0, sign);
    auto found = known.find(name);
    if (found == known.end())
      return name + " is no option; --help lists them";
    std::string value;
    if (sign != std::string::npos)
      value = word.substr(sign + 1);
    else if (++i < words.size())
      value = words[i];
    else
      return name + " needs a value; --help tells which";
    auto wrong = found->second(value);
    if (!wrong.empty())
      return name + ": " + wrong;
  }
  auto wrong = check(out);
  if (!wrong.empty())
    return wrong;
  if (out.window == 0 && out.mode == run_mode::broadcast)
    out.window = 1;
  else if (out.window == 0)
    out.window = out.mode == run_mode::echo ? out.clients : 64;
  out.window = std::max(out.window, out.batch);
  return {};
}

const char* help_text() noexcept {
  return R"(Usage: signalbox-load --url HOST:PORT [options]

Opens Socket.IO connections to a server, publishes, and accounts for every
delivery. One JSON line on stdout, one readable line on stderr. Exit code 0 if
everything arrived once and where it should, 1 if not, 2 if it could not run.

  --url HOST:PORT      public listener of the server
  --path PATH          path of Socket.IO (/socket.io/)
  --n COUNT            clients (100)
  --transport NAME     websocket or polling (websocket)
  --dialect NAME,...   generations of clients, which take turns: eio4, eio3,
                       v09 (eio4); others than eio4 over WebSocket, for runs
                       of less than 40 s, because clients of eio3 do not ping
  --namespace NAME     namespace (/)
  --cookie TEXT        Cookie header; %d is the client's index from 0
  --auth JSON          CONNECT payload; %d likewise
  --user TEXT          user id of a client as publishers name it (%d)
  --concurrency COUNT  clients that connect at the same time (100)

  --mode NAME          broadcast: each message to every client
                       private:   each message to one client
                       echo:      a client's event comes back as its ack
                       idle:      connect and hold for --hold
                       connect:   connect only
  --m COUNT            messages that are measured (100)
  --warm-up COUNT      messages before them that are not (25)
  --size BYTES         text of a message (128)
  --window COUNT       messages under way (broadcast 1, private 64, echo --n)
  --hold SECONDS       how long idle holds (5)

  --ingest HOST:PORT   publish by POST /api/v1/events of the router
  --key KEY            its key
  --type NAME          event type (m)
  --to                 name the receivers in the request, for keys with
                       may-target; else the rules decide, and the payload of a
                       private message is {"to":USER,"body":TEXT}
  --batch COUNT        events per request (1)
  --publish-url URL    or: post the bare text there; %d is the receiver's index
  --publishers COUNT   connections that publish (1)

  --server-pid ID      process whose CPU time and memory are read; repeatable
  --deadline SECONDS   when the run ends at the latest (120)
)";
}

std::string expand(const std::string& pattern, uint32_t number) {
  auto digits = std::to_string(number);
  std::string result;
  for (size_t at = 0; at < pattern.size();) {
    auto next = std::min(pattern.find("%d", at), pattern.size());
    result.append(pattern, at, next - at);
    if (next < pattern.size())
      result += digits;
    at = next + 2;
  }
  return result;
}

} // namespace signalbox::load
