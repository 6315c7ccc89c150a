#pragma once

#include "actors/api/error.hpp"
#include "transports/log/line_limit.hpp"
#include "transports/session/handshake.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace signalbox {

/// Logs the decisions about CONNECTs: refusals from the level `info` on, at
/// most one a second, everything at `debug`. It shows the namespace, the Origin
/// and the names of cookies, never a value of one, a key or a payload. From any
/// thread.
class connect_report {
public:
  /// What the site said of a client.
  struct answer {
    /// In words that follow "refused: ".
    std::string said;
    /// The Cookie header that the site got.
    std::string forwarded;
  };

  /// Returns whether such a decision of the site may be worth a line.
  static bool tells(ec outcome);

  /// The site was asked. `what` is called if there is a line.
  void asked(std::string_view nsp, const session::handshake& from, ec outcome,
             const std::function<answer()>& what);

  /// A CONNECT was refused for another reason than the site's answer.
  void refused(std::string_view nsp, const session::handshake& from, ec why);

  /// A client offered a key that is none, or one for other namespaces.
  void bad_key(std::string_view nsp, const session::handshake& from,
               bool known);

  /// A client is in a namespace, as a user whom the site knows or without one.
  void accepted(std::string_view nsp, const session::handshake& from,
                bool publisher, bool known);

private:
  line_limit refusals_;
  line_limit keys_;
};

/// Returns the names of the cookies in a Cookie header for the log, at most 20:
/// "lang, session"; "none" if there are none.
std::string cookie_names(std::string_view header);

} // namespace signalbox
