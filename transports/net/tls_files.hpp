#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

// Certificates, keys and lists of ciphers as operators give them. What is wrong
// with one is said in words that begin with the part that it is about:
// "key: /etc/x.key: is encrypted; give ...". Never asks at a terminal.

namespace signalbox::net {

/// What may be chosen of TLS at a listener.
struct tls_rules {
  /// Ciphers as OpenSSL lists them, by colons, commas or blanks; names that
  /// begin with TLS_ are those of TLS 1.3. Empty for OpenSSL's own.
  std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
  /// Whether TLS 1.2 is refused.
  bool only_1_3 = false;
};

/// Gives a context the certificate chain and its key. Returns an empty string
/// or what is wrong, of the part "certificate" or "key".
std::string use_identity(ssl_ctx_st* context, const std::string& certificate,
                         const std::string& key);

/// Has a context trust the authorities in a file, and no others. Returns an
/// empty string or what is wrong, of the part `part`.
std::string use_authorities(ssl_ctx_st* context, const std::string& file,
                            std::string_view part);

/// Applies what may be chosen. Returns an empty string or what is wrong, of the
/// part "ciphers".
std::string use_rules(ssl_ctx_st* context, const tls_rules& x);

/// Says what is wrong with such a choice, without a context to apply it to.
std::string check_rules(const tls_rules& x);

/// One certificate.
struct certificate_facts {
  /// The name it is for, for people: "www.example.com", or its whole subject.
  std::string subject;
  /// Seconds since 1970 between which it holds.
  int64_t from = 0;
  int64_t until = 0;
};

/// Returns the certificates in a PEM file in their order; none if it cannot be
/// read.
std::vector<certificate_facts> read_certificates(const std::string& file);

} // namespace signalbox::net
