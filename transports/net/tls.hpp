#pragma once

#include "transports/net/tls_files.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace signalbox::net {

/// Certificates and rules of TLS connections, for one role.
class tls_context {
public:
  /// Makes a context for a listener. On failure returns null and says why in
  /// `error`, which begins with what is wrong: "certificate: ", "key: " or
  /// "ciphers: ", and of those below also "ca: " and "ca-file: ".
  static std::shared_ptr<tls_context> server(const std::string& certificate,
                                             const std::string& key,
                                             const tls_rules& rules,
                                             std::string& error);

  /// Makes a context for calls to others, whose certificate and name are
  /// always verified; `ca_file` empty means the system's authorities.
  static std::shared_ptr<tls_context> client(const std::string& ca_file,
                                             std::string& error);

  /// Makes a context for both ends of the links between nodes: each has a
  /// certificate, and the other one's must be signed by the same authority;
  /// names are not compared.
  static std::shared_ptr<tls_context> peer(const std::string& certificate,
                                           const std::string& key,
                                           const std::string& ca_file,
                                           std::string& error);

  ~tls_context();

  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  /// Starts TLS on a socket; the caller owns the result. `host` is the name a
  /// client verifies (unless the context is for nodes), empty for a server.
  ssl_st* open(int fd, const std::string& host) const;

  /// Returns the OpenSSL side; for this floor.
  ssl_ctx_st* native() const noexcept {
    return context_;
  }

private:
  explicit tls_context(ssl_ctx_st* context) noexcept : context_(context) {
    // nop
  }

  ssl_ctx_st* context_;
  /// Whether a client takes any name.
  bool any_name_ = false;
};

/// Says in words why the last operation on a link between nodes failed if it
/// was for a certificate: whose, and what is wrong with it. Empty otherwise.
/// `mine` names this node's certificate. On the thread of the operation.
std::string peer_fault(const ssl_st* x, const std::string& mine);

/// Says in words why other nodes will refuse the certificate of a context that
/// `tls_context::peer` made, as far as this one can tell; empty if they will
/// not.
std::string own_fault(const tls_context& x);

/// Says in words why the last operation of a client failed, and what to do
/// about it, from its connection and this thread's queue of errors. Empty if
/// TLS has nothing to say.
std::string tls_fault(const ssl_st* x);

} // namespace signalbox::net
