#include "transports/net/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>

namespace signalbox::net {

namespace {

constexpr std::string_view separators = ":, ";

/// What the first name of a cipher of TLS 1.3 has in front.
constexpr std::string_view of_1_3 = "TLS_";

std::string about(std::string_view part, const std::string& file,
                  const std::string& why) {
  return std::string{part} + ": " + file + ": " + why;
}

/// Stands for the question that OpenSSL would put at the terminal of a service.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// Returns why a file cannot be read, or what it obviously is instead of PEM.
std::string file_fault(const std::string& file, std::string& text) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0)
    return errno == ENOENT
             ? "there is no such file"
             : std::string{"cannot be read: "} + std::strerror(errno);
  if (S_ISDIR(found.st_mode))
    return "is a folder; give the file in it";
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return std::string{"cannot be read: "} + std::strerror(errno)
           + "; let the user that the router runs as read it";
  text.assign(std::istreambuf_iterator<char>(in), {});
  if (text.empty())
    return "is empty";
  if (text.find("-----BEGIN ") == text.npos)
    return text.front() == 0x30
             ? "is in DER form; convert it with `openssl x509 -inform DER` or "
               "`openssl pkey -inform DER`"
             : "is no PEM file, which has a line -----BEGIN ...-----";
  return {};
}

bool holds(const std::string& text, std::string_view kind) {
  for (auto i = text.find("-----BEGIN "); i != text.npos;
       i = text.find("-----BEGIN ", i + 1)) {
    auto line = std::string_view{text}.substr(i);
    line = line.substr(0, line.find('\n'));
    if (line.find(kind) != line.npos)
      return true;
  }
  return false;
}

/// Says in words why OpenSSL took no certificate or key.
std::string openssl_fault() {
  auto code = ERR_peek_last_error();
  auto reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    if (reason == SSL_R_EE_KEY_TOO_SMALL || reason == SSL_R_CA_KEY_TOO_SMALL)
      return "its key is too short to be safe; make one of 2048 bits (RSA) or "
             "of P-256";
    if (reason == SSL_R_CA_MD_TOO_WEAK)
      return "is signed with MD5 or SHA-1, which is not safe; have it signed "
             "with SHA-256";
  }
  if (ERR_GET_LIB(code) == ERR_LIB_X509 && reason == X509_R_KEY_TYPE_MISMATCH)
    return "is of another kind than that of the certificate";
  const auto* text = ERR_reason_error_string(code);
  return std::string{"is damaged: "}
         + (text == nullptr ? "OpenSSL cannot read it" : text);
}

/// Returns the key of the file, or null and what is wrong.
EVP_PKEY* read_key(const std::string& file, std::string& why) {
  std::string text;
  why = file_fault(file, text);
  if (!why.empty())
    return nullptr;
  auto asked = false;
  auto* from = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  auto* out = PEM_read_bio_PrivateKey(from, nullptr, no_passphrase, &asked);
  BIO_free(from);
  OPENSSL_cleanse(text.data(), text.size());
  if (out != nullptr)
    return out;
  if (asked)
    why = "is encrypted, and the router asks for no passphrase; give a key "
          "without one, as `openssl pkey -in KEY -out PLAIN` writes it";
  else if (!holds(text, "PRIVATE KEY"))
    why = "holds no private key";
  else
    why = openssl_fault();
  return nullptr;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    auto item = list.substr(0, list.find_first_of(separators));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    if (!item.empty())
      out.emplace_back(item);
  }
  return out;
}

struct free_context {
  void operator()(SSL_CTX* x) const {
    SSL_CTX_free(x);
  }
};

/// Returns whether OpenSSL knows what stands in a list. By itself it passes
/// over what it does not know.
bool known_cipher(std::string_view item, bool newest) {
  if (item.starts_with('@'))
    return true;
  auto begin = item.find_first_not_of("!+-");
  std::string name{item.substr(begin == item.npos ? 0 : begin)};
  std::unique_ptr<SSL_CTX, free_context> scratch{SSL_CTX_new(TLS_method())};
  return newest ? SSL_CTX_set_ciphersuites(scratch.get(), name.c_str()) == 1
                : SSL_CTX_set_cipher_list(scratch.get(), name.c_str()) == 1;
}

/// Returns the name of a cipher in the context that hides or proves nothing,
/// empty if there is none.
std::string unsafe_cipher(SSL_CTX* context) {
  auto* all = SSL_CTX_get_ciphers(context);
  for (auto i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
    const auto* x = sk_SSL_CIPHER_value(all, i);
    if (SSL_CIPHER_get_cipher_nid(x) == NID_undef
        || SSL_CIPHER_get_auth_nid(x) == NID_auth_null)
      return SSL_CIPHER_get_name(x);
  }
  return {};
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& each : items)
    out += (out.empty() ? "" : ":") + each;
  return out;
}

int64_t seconds(const ASN1_TIME* x) {
  std::tm parts{};
  return ASN1_TIME_to_tm(x, &parts) == 1 ? timegm(&parts) : 0;
}

std::string subject_of(X509* x) {
  auto* name = X509_get_subject_name(x);
  char text[256] = "";
  if (X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text)) > 0)
    return text;
  X509_NAME_oneline(name, text, sizeof(text));
  return text;
}

} // namespace

std::string use_identity(SSL_CTX* context, const std::string& certificate,
                         const std::string& key) {
  ERR_clear_error();
  std::string text;
  if (auto why = file_fault(certificate, text); !why.empty())
    return about("certificate", certificate, why);
  if (!holds(text, "CERTIFICATE"))
    return about("certificate", certificate, "holds no certificate");
  auto asked = false;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
  auto ok =
    SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  if (!ok)
    return about("certificate", certificate, openssl_fault());
  std::string why;
  auto* own = read_key(key, why);
  if (own == nullptr)
    return about("key", key, why);
  auto fits = X509_check_private_key(SSL_CTX_get0_certificate(context), own);
  if (fits == 1 && SSL_CTX_use_PrivateKey(context, own) != 1)
    why = openssl_fault();
  else if (fits != 1)
    why = "does not belong to the certificate in " + certificate;
  EVP_PKEY_free(own);
  return why.empty() ? why : about("key", key, why);
}

std::string use_authorities(SSL_CTX* context, const std::string& file,
                            std::string_view part) {
  ERR_clear_error();
  std::string text;
  auto why = file_fault(file, text);
  if (why.empty() && !holds(text, "CERTIFICATE"))
    why = "holds no certificate";
  if (why.empty() && SSL_CTX_load_verify_file(context, file.c_str()) != 1)
    why = openssl_fault();
  return why.empty() ? why : about(part, file, why);
}

std::string use_rules(SSL_CTX* context, const tls_rules& x) {
  std::vector<std::string> newest;
  std::vector<std::string> others;
  for (auto& each : split(x.ciphers)) {
    auto is_newest = std::string_view{each}.starts_with(of_1_3);
    if (!known_cipher(each, is_newest))
      return "ciphers: \"" + each
             + "\" is no cipher that OpenSSL knows; `openssl ciphers -v` lists "
               "them";
    (is_newest ? newest : others).push_back(std::move(each));
  }
  SSL_CTX_set_min_proto_version(context,
                                x.only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  if (!newest.empty()
      && SSL_CTX_set_ciphersuites(context, joined(newest).c_str()) != 1)
    return "ciphers: OpenSSL takes none of those of TLS 1.3";
  if (others.empty()) {
    // What is named is all that is wanted.
    if (!newest.empty())
      SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    return {};
  }
  if (SSL_CTX_set_cipher_list(context, joined(others).c_str()) != 1)
    return "ciphers: nothing is left of \"" + joined(others)
           + "\"; `openssl ciphers -v` shows what a list stands for";
  if (auto name = unsafe_cipher(context); !name.empty())
    return "ciphers: " + name
           + " hides nothing, or proves nothing; add !aNULL:!eNULL";
  return {};
}

std::string check_rules(const tls_rules& x) {
  std::unique_ptr<SSL_CTX, free_context> scratch{
    SSL_CTX_new(TLS_server_method())};
  return use_rules(scratch.get(), x);
}

std::vector<certificate_facts> read_certificates(const std::string& file) {
  std::vector<certificate_facts> out;
  auto* from = BIO_new_file(file.c_str(), "r");
  if (from == nullptr) {
    ERR_clear_error();
    return out;
  }
  auto asked = false;
  while (auto* x = PEM_read_bio_X509(from, nullptr, no_passphrase, &asked)) {
    out.push_back({subject_of(x), seconds(X509_get0_notBefore(x)),
                   seconds(X509_get0_notAfter(x))});
    X509_free(x);
  }
  BIO_free(from);
  // The end of the file is an error to OpenSSL.
  ERR_clear_error();
  return out;
}

} // namespace signalbox::net
