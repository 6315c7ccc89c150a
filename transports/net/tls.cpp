#include "transports/net/tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace signalbox::net {

namespace {

SSL_CTX* new_context(const SSL_METHOD* method) {
  auto* x = SSL_CTX_new(method);
  SSL_CTX_set_min_proto_version(x, TLS1_2_VERSION);
  // Below TLS 1.3 only key exchanges with forward secrecy.
  SSL_CTX_set_cipher_list(x, tls_rules{}.ciphers.c_str());
  SSL_CTX_set_options(x, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                           | SSL_OP_CIPHER_SERVER_PREFERENCE
                           | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(x, SSL_MODE_ENABLE_PARTIAL_WRITE
                        | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                        | SSL_MODE_RELEASE_BUFFERS);
  return x;
}

} // namespace

std::shared_ptr<tls_context> tls_context::server(const std::string& certificate,
                                                 const std::string& key,
                                                 const tls_rules& rules,
                                                 std::string& error) {
  std::shared_ptr<tls_context> x{
    new tls_context{new_context(TLS_server_method())}};
  error = use_identity(x->context_, certificate, key);
  if (error.empty())
    error = use_rules(x->context_, rules);
  return error.empty() ? x : nullptr;
}

std::shared_ptr<tls_context> tls_context::peer(const std::string& certificate,
                                               const std::string& key,
                                               const std::string& ca_file,
                                               std::string& error) {
  std::shared_ptr<tls_context> x{new tls_context{new_context(TLS_method())}};
  x->any_name_ = true;
  // A session that is resumed would not be verified again.
  SSL_CTX_set_session_cache_mode(x->context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(x->context_, 0);
  // One call of the system instead of two for each record; its users read until
  // nothing is left, so none stays behind.
  SSL_CTX_set_read_ahead(x->context_, 1);
  SSL_CTX_set_verify(
    x->context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  error = use_authorities(x->context_, ca_file, "ca");
  if (error.empty())
    error = use_identity(x->context_, certificate, key);
  return error.empty() ? x : nullptr;
}

std::shared_ptr<tls_context> tls_context::client(const std::string& ca_file,
                                                 std::string& error) {
  std::shared_ptr<tls_context> x{
    new tls_context{new_context(TLS_client_method())}};
  SSL_CTX_set_verify(x->context_, SSL_VERIFY_PEER, nullptr);
  if (ca_file.empty())
    SSL_CTX_set_default_verify_paths(x->context_);
  else
    error = use_authorities(x->context_, ca_file, "ca-file");
  return error.empty() ? x : nullptr;
}

tls_context::~tls_context() {
  SSL_CTX_free(context_);
}

ssl_st* tls_context::open(int fd, const std::string& host) const {
  auto* x = SSL_new(context_);
  SSL_set_fd(x, fd);
  if (host.empty()) {
    SSL_set_accept_state(x);
    return x;
  }
  SSL_set_connect_state(x);
  if (any_name_)
    return x;
  unsigned char address[16];
  auto is_address = inet_pton(AF_INET, host.c_str(), address) == 1
                    || inet_pton(AF_INET6, host.c_str(), address) == 1;
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(x), host.c_str());
  } else {
    SSL_set1_host(x, host.c_str());
    SSL_set_tlsext_host_name(x, host.c_str());
  }
  return x;
}

namespace {

std::string certificate_fault(long code) {
  switch (code) {
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    return "its certificate is self-signed; give that certificate as "
           "site.ca-file";
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    return "its certificate is signed by no known authority, or the server "
           "leaves out certificates between; give the authority's as "
           "site.ca-file";
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    return "its certificate is for another name; give a URL with a name of the "
           "certificate";
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return "its certificate has expired; renew it";
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return "its certificate is not valid yet; look at the clocks";
  default:
    return std::string{"its certificate is refused: "}
           + X509_verify_cert_error_string(code);
  }
}

} // namespace

std::string tls_fault(const ssl_st* x) {
  if (auto code = SSL_get_verify_result(x); code != X509_V_OK)
    return certificate_fault(code);
  auto code = ERR_peek_error();
  if (code == 0 || ERR_GET_LIB(code) != ERR_LIB_SSL)
    return {};
  switch (ERR_GET_REASON(code)) {
  case SSL_R_WRONG_VERSION_NUMBER:
  case SSL_R_PACKET_LENGTH_TOO_LONG:
  case SSL_R_HTTP_REQUEST:
    return "it speaks no TLS at this port; give http:// in the URL";
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    return "it offers no TLS 1.2 or later; let it";
  case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    return "it takes none of our ciphers; for TLS 1.2 let it offer ECDHE with "
           "AES-GCM or ChaCha20";
  default:
    const auto* text = ERR_reason_error_string(code);
    return std::string{"TLS: "} + (text == nullptr ? "failed" : text);
  }
}

} // namespace signalbox::net
