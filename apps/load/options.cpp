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

// Cuts a text at its commas.
std::vector<std::string> pieces(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    auto end = std::min(text.find(','), text.size());
    result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

setter addresses(options& out) {
  return [&out](const std::string& value) -> std::string {
    out.urls.clear();
    for (const auto& each : pieces(value)) {
      auto url = codec::parse_url("http://" + each);
      if (!url || url->target != "/")
        return "give HOST:PORT, such as 127.0.0.1:8400, or some with commas "
               "between";
      out.urls.emplace_back(url->host, url->port);
    }
    return {};
  };
}

setter list(std::vector<std::string>& out) {
  return [&out](const std::string& value) -> std::string {
    out = pieces(value);
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

setter speech(options& out) {
  return [&out](const std::string& value) -> std::string {
    for (auto x : {protocol::socket_io, protocol::websocket,
                   protocol::long_poll, protocol::nats})
      if (value == to_string(x)) {
        out.speaks = x;
        return {};
      }
    return "give socket.io, websocket, long-poll or nats";
  };
}

setter namespaces(std::vector<std::string>& out) {
  return [&out](const std::string& value) -> std::string {
    out = pieces(value);
    for (const auto& each : out)
      if (!each.starts_with('/'))
        return "give names that start with a slash, with commas between";
    return {};
  };
}

setter seconds(std::chrono::seconds& out, uint64_t least) {
  return [&out, least](const std::string& value) {
    uint32_t count = 0;
    auto wrong = number(count, least, 86400)(value);
    out = std::chrono::seconds{count};
    return wrong;
  };
}

setter dialects(options& out) {
  return [&out](const std::string& value) -> std::string {
    out.dialects.clear();
    for (const auto& each : pieces(value)) {
      auto found = codec::parse_dialect(each);
      if (!found)
        return "give eio4, eio3 or v09, or some with commas between";
      out.dialects.push_back(*found);
    }
    return out.dialects.empty() ? "give eio4, eio3 or v09" : "";
  };
}

setter mode(options& out) {
  return [&out](const std::string& value) -> std::string {
    for (auto x : {run_mode::idle, run_mode::connect, run_mode::broadcast,
                   run_mode::private_, run_mode::echo, run_mode::churn})
      if (value == to_string(x)) {
        out.mode = x;
        return {};
      }
    return "give idle, connect, broadcast, private, echo or churn";
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
    {"--url", addresses(out)},
    {"--protocol", speech(out)},
    {"--path", text(out.path)},
    {"--n", number(out.clients, 1, 1'000'000)},
    {"--transport", transport(out)},
    {"--dialect", dialects(out)},
    {"--namespace", text(out.nsp)},
    {"--users", number(out.users, 1, most)},
    {"--cookie", text(out.cookie)},
    {"--auth", text(out.auth)},
    {"--user", text(out.user)},
    {"--bystanders", number(out.bystanders, 0, 1'000'000)},
    {"--bystander-namespace", namespaces(out.bystander_nsps)},
    {"--bystander-cookie", text(out.bystander_cookie)},
    {"--mode", mode(out)},
    {"--m", number(out.messages, 1, most)},
    {"--warm-up", number(out.warm_up, 0, most)},
    {"--size", number(out.size, marker_size, 16'000'000)},
    {"--window", number(out.window, 1, most)},
    {"--rate", number(out.rate, 1, 1'000'000)},
    {"--batch", number(out.batch, 1, 1000)},
    {"--publishers", number(out.publishers, 1, 256)},
    {"--concurrency", number(out.concurrency, 1, 4096)},
    {"--ingest", list(out.ingest)},
    {"--key", text(out.key)},
    {"--type", text(out.type)},
    {"--room", text(out.room)},
    {"--publish-url", text(out.publish_url)},
    {"--server-pid", server(out)},
    {"--deadline", seconds(out.deadline, 1)},
    {"--hold", seconds(out.hold, 0)},
  };
}

bool has_line_break(const std::string& x) {
  return x.find_first_of("\r\n") != std::string::npos;
}

std::string check_publishing(const options& x) {
  auto publishes = x.mode == run_mode::broadcast || x.mode == run_mode::private_
                   || x.mode == run_mode::churn;
  auto by_http = x.speaks != protocol::nats;
  if (publishes && by_http && x.ingest.empty() == x.publish_url.empty())
    return "give either --ingest HOST:PORT with --key, or --publish-url URL";
  if (!by_http && !(x.ingest.empty() && x.publish_url.empty()))
    return "with --protocol nats it is NATS that publishes; leave --ingest and "
           "--publish-url out";
  if (!x.ingest.empty() && x.key.empty())
    return "--key is missing; give a key from ingest.keys of the router";
  if (x.batch > 1 && x.ingest.empty())
    return "--batch needs --ingest; --publish-url takes one message a request";
  if (!x.room.empty() && (x.ingest.empty() || x.mode != run_mode::broadcast))
    return "--room needs --ingest and broadcasts";
  if (!by_http && x.publishers > 1)
    return "with --protocol nats one connection publishes";
  return {};
}

std::string check_clients(const options& x) {
  auto socket_io = x.speaks == protocol::socket_io;
  auto today = x.dialects == std::vector{codec::dialect::eio4};
  if (!today
      && (!socket_io || x.polling || x.mode == run_mode::echo
          || !x.auth.empty()))
    return "--dialect is for Socket.IO over WebSocket, without echo and --auth";
  if (!socket_io
      && (x.polling || x.mode == run_mode::echo || x.mode == run_mode::churn))
    return "polling, echo and churn are for Socket.IO";
  if (x.mode == run_mode::churn && x.polling)
    return "churn is for WebSocket";
  if (x.users != 0 && (x.users > x.clients || x.clients % x.users != 0))
    return "--users divides --n";
  if (!x.path.starts_with('/') || !x.nsp.starts_with('/'))
    return "--path and --namespace start with a slash";
  return {};
}

std::string check(const options& x) {
  if (x.urls.empty())
    return "--url is missing; give the public listener as HOST:PORT";
  if (x.urls.size() > 1
      && (x.polling || x.speaks != protocol::socket_io
          || x.mode == run_mode::churn))
    return "several --url are for Socket.IO over WebSocket, without churn";
  if (x.ingest.size() > x.publishers)
    return "--publishers is at least the number of --ingest";
  auto nodes = static_cast<uint32_t>(x.urls.size());
  if (x.near
      && (x.mode != run_mode::private_ || x.batch > 1
          || x.ingest.size() != nodes || x.publishers % nodes != 0
          || x.clients % nodes != 0 || x.users != 0))
    return "--near is for private messages one by one, as many --ingest as "
           "--url, and --publishers and --n that are multiples of it";
  auto wrong = check_publishing(x);
  if (wrong.empty())
    wrong = check_clients(x);
  if (!wrong.empty())
    return wrong;
  if (has_line_break(x.cookie) || has_line_break(x.bystander_cookie)
      || has_line_break(x.key) || has_line_break(x.path))
    return "--cookie, --key and --path are one line each";
  if (uint64_t{x.messages} + x.warm_up > UINT32_MAX
      || (x.mode == run_mode::broadcast
          && (uint64_t{x.messages} + x.warm_up) * x.clients > 64'000'000'000))
    return "too many deliveries to keep account of; lower --m or --n";
  if (x.mode == run_mode::churn && x.messages > 1000)
    return "a visit is for at most 1000 messages; lower --m";
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
  case run_mode::churn:
    return "churn";
  default:
    return "echo";
  }
}

const char* to_string(protocol x) noexcept {
  switch (x) {
  case protocol::websocket:
    return "websocket";
  case protocol::long_poll:
    return "long-poll";
  case protocol::nats:
    return "nats";
  default:
    return "socket.io";
  }
}

std::string parse_options(const std::vector<std::string>& words, options& out) {
  auto known = setters(out);
  const std::map<std::string, bool*> flags{
    {"--to", &out.direct}, {"--any-ack", &out.any_ack}, {"--near", &out.near}};
  for (size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--help" || word == "-h") {
      out.help = true;
      return {};
    }
    if (auto flag = flags.find(word); flag != flags.end()) {
      *flag->second = true;
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
  if (out.users == 0)
    out.users = out.clients;
  return {};
}

const char* help_text() noexcept {
  return R"(Usage: signalbox-load --url HOST:PORT [options]

Opens connections to a server, publishes, and accounts for every delivery. One
JSON line on stdout, one readable line on stderr. Exit code 0 if everything
arrived once and where it should, 1 if not, 2 if it could not run.

  --url HOST:PORT,...  public listener of the server, or of nodes of a cluster
                       over which clients are spread
  --protocol NAME      what clients speak (socket.io):
                       socket.io
                       websocket: bare messages over WebSocket
                       long-poll: bare messages, each the answer to a GET
                       nats:      NATS over WebSocket, also to publish
  --path PATH          path of the server (/socket.io/); for the others than
                       Socket.IO, %d is the client's index from 0
  --n COUNT            clients (100)
  --transport NAME     of Socket.IO: websocket or polling (websocket)
  --dialect NAME,...   generations of clients, which take turns: eio4, eio3,
                       v09 (eio4); others than eio4 over WebSocket, for runs
                       of less than 40 s, because clients of eio3 do not ping
  --namespace NAME     namespace (/)
  --users COUNT        users, to whom the clients belong in turns (--n)
  --cookie TEXT        Cookie header; %d is the client's user from 0
  --auth JSON          CONNECT payload; %d likewise
  --user TEXT          user id as publishers name it (%d)
  --concurrency COUNT  clients that connect at the same time (100)

  --bystanders COUNT   clients beside those of --n, to whom nothing may come
  --bystander-namespace NAME,...
                       their namespaces, which take turns (--namespace)
  --bystander-cookie TEXT
                       their Cookie header; %d goes on where the users end

  --mode NAME          broadcast: each message to every client
                       private:   each message to one user
                       echo:      a client's event comes back as its ack
                       churn:     --n clients at a time come, get --m private
                                  messages and leave, each as a new user
                       idle:      connect and hold for --hold
                       connect:   connect only
  --m COUNT            messages that are measured (100)
  --warm-up COUNT      messages before them that are not (25)
  --size BYTES         text of a message (128)
  --window COUNT       messages under way (broadcast 1, private 64, echo --n)
  --rate COUNT         or: messages a second; latency then runs from when they
                       were due
  --any-ack            take any ack for an echo, not only the text
  --hold SECONDS       how long idle holds and churn goes on (5)

  --ingest HOST:PORT,...
                       publish by POST /api/v1/events of the router; several
                       take turns
  --key KEY            its key
  --type NAME          event type (m); subject of NATS, with %d for the user
  --to                 name the receivers in the request, for keys with
                       may-target; else the rules decide, and the payload of a
                       private message is {"to":USER,"body":TEXT}
  --room NAME          broadcast to that room; all of --n should be in it
  --batch COUNT        events per request (1)
  --near               clients connect where their messages are published: to the
                       --url that has the place of the --ingest
  --publish-url URL    or: post the bare text there; %d is the user
  --publishers COUNT   connections that publish (1)

  --server-pid ID      process whose CPU time and memory are read; repeatable
  --deadline SECONDS   when the run ends at the latest (120); not for churn
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
