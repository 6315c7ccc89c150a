#pragma once

#include "transports/net/http.hpp"

#include <string>
#include <string_view>
#include <vector>

// Headers whose value is a list. HTTP makes one list of all lines of a name
// (RFC 9110 section 5.3), so none of them is read by its first line alone.

namespace signalbox::net {

/// Returns the elements of a list over all lines of the header, without the
/// blanks around them. Those that are empty are kept. A comma or `separator`
/// within quotes separates nothing.
std::vector<std::string_view> list_elements(const http_request& x,
                                            std::string_view name);

/// Splits one value.
std::vector<std::string_view> split_list(std::string_view value,
                                         char separator = ',');

/// Returns whether the list has a token, ignoring case and parameters. An
/// element that `q=0` turns off does not count.
bool lists(const http_request& x, std::string_view name,
           std::string_view token) noexcept;

/// Returns whether a client takes a content coding: it lists the coding, or
/// all by `*`, and has not turned off the coding.
bool takes_coding(const http_request& x, std::string_view coding) noexcept;

/// Returns the value of a header over all its lines: those of Cookie joined by
/// `; `, those of other lists by `, `. Of a header that is no list the first
/// line counts, as in Node.js.
std::string joined(const http_request& x, std::string_view name);

/// Returns the value of a header that is no list: empty if it is missing, and
/// also if there are several lines of it, because the next reader may believe
/// another one.
std::string_view single(const http_request& x, std::string_view name) noexcept;

/// Returns a text without blanks and tabs at its ends.
std::string_view trim(std::string_view x) noexcept;

} // namespace signalbox::net
