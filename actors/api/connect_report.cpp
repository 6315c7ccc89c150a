#include "actors/api/connect_report.hpp"

#include "actors/api/log.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox {

namespace {

constexpr size_t most_names = 20;

/// What all lines say of the client.
std::string client_of(const session::handshake& from) {
  auto page = from.header("origin");
  return page.empty() ? std::string{"no Origin"}
                      : "Origin \"" + printable(page) + '"';
}

std::string_view meaning(ec why) {
  switch (why) {
  case ec::invalid_namespace:
    return "; the setting namespaces does not name it";
  case ec::too_many_connections:
    return "; see presence.max-connections and presence.when-full";
  case ec::too_many_namespaces:
    return "; see limits.namespaces";
  case ec::auth_too_large:
    return "; see limits.auth-payload";
  default:
    return "";
  }
}

bool verbose() {
  return spdlog::should_log(spdlog::level::debug);
}

/// Logs a refusal, whose text is made only if there is a line for it.
template <class F>
void log_refusal(line_limit& limit, F text) {
  if (auto turn = limit.turn())
    spdlog::info("{}{}", text(), *turn);
  else if (verbose())
    spdlog::debug("{}", text());
}

} // namespace

bool connect_report::tells(ec outcome) {
  return outcome != ec::none || verbose();
}

void connect_report::asked(std::string_view nsp, const session::handshake& from,
                           ec outcome, const std::function<answer()>& what) {
  auto text = [&](std::string_view verb) {
    auto x = what();
    return "CONNECT to \"" + printable(nsp) + "\" " + std::string{verb} + ": "
           + printable(x.said) + "; " + client_of(from)
           + "; cookies that came: " + cookie_names(from.header("cookie"))
           + "; forwarded: " + cookie_names(x.forwarded);
  };
  if (outcome != ec::none)
    log_refusal(refusals_, [&] { return text("refused"); });
  else if (verbose())
    spdlog::debug("{}", text("known to the site"));
}

void connect_report::refused(std::string_view nsp,
                             const session::handshake& from, ec why) {
  log_refusal(refusals_, [&] {
    return "CONNECT to \"" + printable(nsp)
           + "\" refused: " + std::string{describe(why)}
           + std::string{meaning(why)} + "; " + client_of(from);
  });
}

void connect_report::bad_key(std::string_view nsp,
                             const session::handshake& from, bool known) {
  auto turn = keys_.turn();
  if (!turn)
    return;
  auto who = printable(from.address());
  auto where = printable(nsp);
  if (known)
    spdlog::warn("a Socket.IO client at {} whose key is for other namespaces "
                 "was refused in \"{}\"; see ingest.keys{}",
                 who, where, *turn);
  else
    spdlog::warn("a Socket.IO client at {} without a valid key was refused in "
                 "\"{}\"; see ingest.keys{}",
                 who, where, *turn);
}

void connect_report::accepted(std::string_view nsp,
                              const session::handshake& from, bool publisher,
                              bool known) {
  if (!verbose())
    return;
  spdlog::debug("CONNECT to \"{}\" accepted: {}; {}", printable(nsp),
                publisher ? "a publisher"
                : known   ? "a user of the site"
                          : "without a user",
                client_of(from));
}

std::string cookie_names(std::string_view header) {
  std::string out;
  size_t count = 0;
  while (!header.empty()) {
    auto item = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(item.size() + 1, header.size()));
    while (item.starts_with(' '))
      item.remove_prefix(1);
    if (item.empty())
      continue;
    if (++count > most_names)
      continue;
    auto equals = item.find('=');
    // A cookie without a name is nothing but its value.
    auto name = equals == item.npos || equals == 0
                  ? std::string{"(without a name)"}
                  : printable(item.substr(0, equals));
    out += (out.empty() ? "" : ", ") + name;
  }
  if (count > most_names)
    out += " and " + std::to_string(count - most_names) + " more";
  return out.empty() ? "none" : out;
}

} // namespace signalbox
