#pragma once

#include "transports/codec/uri.hpp"

#include <string>
#include <string_view>

// The forms that texts in the settings may have. None of them accepts an
// empty text; a setting that may be empty is not asked.

namespace signalbox::app {

/// A form of text and the words that describe it in errors and help.
struct text_form {
  /// Tells whether a text has the form; null if any has.
  bool (*accepts)(std::string_view) = nullptr;
  /// What is allowed, to follow "give".
  std::string_view allowed = "text";
  /// Returns what of a text people may see; null for all of it.
  std::string (*shown)(std::string_view) = nullptr;
};

bool is_listen_address(std::string_view x);
bool is_peer_address(std::string_view x);
bool is_site_url(std::string_view x);
bool is_origin(std::string_view x);
bool is_network(std::string_view x);
bool is_namespace_name(std::string_view x);
bool is_rule_namespace(std::string_view x);
bool is_json_pointer(std::string_view x);
bool is_path_prefix(std::string_view x);
bool is_host_name(std::string_view x);
bool is_token(std::string_view x);
bool is_passed_header(std::string_view x);

/// Tells whether only this machine reaches an address:port.
bool is_loopback(std::string_view x);

/// Tells whether an address:port is every address of the machine.
bool is_wildcard(std::string_view x);

inline constexpr text_form any_text;

inline constexpr text_form file_path{nullptr, "the path of a file"};

inline constexpr text_form folder_path{nullptr, "the path of a folder"};

inline constexpr text_form listen_address{
  is_listen_address, "address:port, such as 0.0.0.0:8400 or [::1]:8400"};

inline constexpr text_form peer_address{
  is_peer_address, "address:port that others can reach, such as 10.0.0.1:8404 "
                   "or [fd00::1]:8404"};

/// It may have a password, which is not shown.
inline constexpr text_form site_url{
  is_site_url, "a URL with http:// or https://, or unix:/SOCKET:/PATH",
  codec::hide_user_info};

inline constexpr text_form origin{
  is_origin, "scheme://host[:port], such as https://www.example.com, "
             "https://*.example.com or capacitor://localhost, or the word "
             "file:// or null"};

inline constexpr text_form network{
  is_network, "an address or network, such as 10.0.0.1 or 10.0.0.0/8"};

inline constexpr text_form namespace_name{is_namespace_name,
                                          "a name that starts with /"};

inline constexpr text_form rule_namespace{is_rule_namespace,
                                          "a name that starts with /, or *"};

inline constexpr text_form json_pointer{is_json_pointer,
                                        "a JSON pointer, such as /to"};

inline constexpr text_form path_prefix{
  is_path_prefix, "a path that starts with /, such as /socket.io/"};

inline constexpr text_form host_name{
  is_host_name, "a host name or address without a port, such as "
                "push.example.com"};

inline constexpr text_form cookie_name{is_token, "the name of a cookie"};

/// Headers that a client may not choose for our request to the site are
/// refused.
inline constexpr text_form passed_header{
  is_passed_header, "the name of a header that the router does not set itself "
                    "(Cookie is always passed)"};

} // namespace signalbox::app
