#include "transports/net/tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <utility>

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

/// Returns who a certificate is for and who signed it.
std::string describe(X509* x) {
  auto name = [](const X509_NAME* from) {
    char text[256] = "";
    X509_NAME_oneline(from, text, sizeof(text));
    return std::string{text};
  };
  return name(X509_get_subject_name(x)) + " signed by "
         + name(X509_get_issuer_name(x));
}

std::string day(const ASN1_TIME* x) {
  tm parts{};
  if (ASN1_TIME_to_tm(x, &parts) != 1)
    return "?";
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

/// Says what is wrong with the certificate under way.
std::string fault_of(X509_STORE_CTX* at) {
  auto* x = X509_STORE_CTX_get_current_cert(at);
  auto code = X509_STORE_CTX_get_error(at);
  std::string who = x == nullptr ? "?" : describe(x);
  switch (code) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return who + " has expired on "
           + (x == nullptr ? "?" : day(X509_get0_notAfter(x)));
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return who + " is not valid before "
           + (x == nullptr ? "?" : day(X509_get0_notBefore(x)))
           + "; look at the clocks";
  default:
    return who + ": " + X509_verify_cert_error_string(code);
  }
}

/// What was wrong with the last certificate that this thread refused.
thread_local std::string refused;

int note_refused(int ok, X509_STORE_CTX* at) {
  if (ok == 0)
    refused = fault_of(at);
  return ok;
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
  SSL_CTX_set_verify(x->context_,
                     SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     note_refused);
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

std::string peer_fault(const ssl_st* x, const std::string& mine) {
  if (SSL_get_verify_result(x) != X509_V_OK) {
    auto what = std::exchange(refused, {});
    return what.empty() ? what
                        : "its certificate is refused, " + what
                            + "; compare cluster.certificate there with "
                              "cluster.ca here";
  }
  auto code = ERR_peek_error();
  if (code == 0 || ERR_GET_LIB(code) != ERR_LIB_SSL)
    return {};
  std::string why;
  switch (ERR_GET_REASON(code)) {
  case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    why = "has expired or is not valid yet";
    break;
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    why = "is not signed by the authority in cluster.ca there";
    break;
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
  case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    why = "is none that it takes";
    break;
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    return "it has no certificate; give cluster.certificate there";
  default:
    return {};
  }
  auto* own = SSL_get_certificate(x);
  return "it refuses this node's cluster.certificate " + mine
         + (own == nullptr ? std::string{} : ", " + describe(own)) + ": it "
         + why;
}

std::string own_fault(const tls_context& x) {
  auto* own = SSL_CTX_get0_certificate(x.native());
  auto* at = X509_STORE_CTX_new();
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(x.native(), &chain);
  std::string out;
  if (at != nullptr
      && X509_STORE_CTX_init(at, SSL_CTX_get_cert_store(x.native()), own, chain)
           == 1
      && X509_verify_cert(at) != 1)
    out = fault_of(at);
  X509_STORE_CTX_free(at);
  ERR_clear_error();
  return out;
}

} // namespace signalbox::net
