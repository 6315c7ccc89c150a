#pragma once

#include "apps/load/loop.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// As much of HTTP/1.1 as a load client needs: answers with Content-Length, and
// requests on connections that stay open.

namespace signalbox::load {

/// One answer. The views are valid until the reader's next call.
struct http_answer {
  int status = 0;
  /// Status line and header lines.
  std::string_view head;
  std::string_view body;
};

/// Cuts a stream of bytes into answers.
class http_reader {
public:
  /// What a call found.
  enum class outcome : uint8_t { more, answer, bad };

  /// Takes bytes from the front of `input` until an answer is complete.
  outcome next(std::span<char>& input, http_answer& out);

  /// Forgets what is unfinished.
  void clear();

private:
  // Returns the length of the answer that `bytes` starts with, 0 if its header
  // is unfinished; sets bad_ if it cannot be read.
  size_t measure(std::string_view bytes, http_answer& out);

  std::string unfinished_;
  // Whether unfinished_ was handed out and goes with the next call.
  bool handed_out_ = false;
  bool bad_ = false;
  size_t needed_ = 0;
};

/// Posts requests over a fixed number of connections that stay open. Requests
/// of one connection are sent without waiting for the answers before, and are
/// answered in order.
class http_pool {
public:
  /// Learns of each answer, with the tag of its request.
  using answer_handler =
    std::function<void(uint32_t tag, const http_answer& answer)>;

  /// Learns that a connection ended with requests unanswered, and why.
  using failure_handler = std::function<void(const std::string& why)>;

  /// The connections go to each of `where` in turns.
  http_pool(loop& parent, std::vector<endpoint> where, size_t connections,
            answer_handler on_answer, failure_handler on_failure);

  ~http_pool();

  /// Posts a body. `fields` are further header lines, each with its line break.
  void post(size_t connection, const std::string& target,
            std::string_view fields, std::string_view body, uint32_t tag);

  /// Returns the number of connections.
  size_t size() const noexcept;

  /// Returns how many requests have no answer yet.
  size_t pending() const noexcept;

private:
  class lane;

  std::vector<endpoint> where_;
  answer_handler on_answer_;
  failure_handler on_failure_;
  size_t pending_ = 0;
  std::vector<std::unique_ptr<lane>> lanes_;
};

/// Appends a POST request.
void append_post(const std::string& target, std::string_view host,
                 std::string_view fields, std::string_view body,
                 std::string& out);

/// Returns the value of a header field, empty if there is none. `name` is in
/// lower case.
std::string_view header(std::string_view head, std::string_view name);

/// Returns the start of an answer for an error text: first line and body.
std::string excerpt(const http_answer& answer);

} // namespace signalbox::load
