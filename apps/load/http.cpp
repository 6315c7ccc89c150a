#include "apps/load/http.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace signalbox::load {

namespace {

bool parse_number(std::string_view text, size_t& out) {
  const auto* end = text.data() + text.size();
  auto [stop, ec] = std::from_chars(text.data(), end, out);
  return ec == std::errc{} && stop == end;
}

} // namespace

// -- http_reader --------------------------------------------------------------

http_reader::outcome http_reader::next(std::span<char>& input,
                                       http_answer& out) {
  if (handed_out_)
    clear();
  if (input.empty())
    return outcome::more;
  // An answer that lies whole in the input costs no copy.
  auto in_place = unfinished_.empty();
  auto before = unfinished_.size();
  if (!in_place) {
    unfinished_.append(input.data(), input.size());
    if (unfinished_.size() < needed_) {
      input = {};
      return outcome::more;
    }
  }
  auto bytes = in_place ? std::string_view{input.data(), input.size()}
                        : std::string_view{unfinished_};
  auto length = measure(bytes, out);
  if (bad_)
    return outcome::bad;
  if (length == 0 || bytes.size() < length) {
    needed_ = length;
    if (in_place)
      unfinished_.assign(input.data(), input.size());
    input = {};
    return outcome::more;
  }
  out.body = bytes.substr(out.head.size() + 4, length - out.head.size() - 4);
  input = input.subspan(length - before);
  handed_out_ = !in_place;
  return outcome::answer;
}

void http_reader::clear() {
  unfinished_ = {};
  handed_out_ = false;
  needed_ = 0;
}

size_t http_reader::measure(std::string_view bytes, http_answer& out) {
  auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    bad_ = bytes.size() > 65536;
    return 0;
  }
  out.head = bytes.substr(0, end);
  size_t status = 0;
  if (!out.head.starts_with("HTTP/1.1 ") || out.head.size() < 12
      || !parse_number(out.head.substr(9, 3), status)) {
    bad_ = true;
    return 0;
  }
  out.status = int(status);
  size_t length = 0;
  auto text = header(out.head, "content-length");
  auto without_body = status == 204 || status == 304 || status < 200;
  if (!without_body && !parse_number(text, length))
    bad_ = true;
  return end + 4 + length;
}

// -- http_pool ----------------------------------------------------------------

class http_pool::lane : public tcp_connection {
public:
  lane(loop& parent, http_pool& owner, const endpoint& where)
    : tcp_connection(parent), owner_(owner), where_(where) {
    // nop
  }

  void post(const std::string& target, std::string_view fields,
            std::string_view body, uint32_t tag) {
    // A server may close a connection that idled.
    if (!is_open() && !open(where_))
      return;
    waiting_.push_back(tag);
    ++owner_.pending_;
    request_.clear();
    append_post(target, where_.host, fields, body, request_);
    send(request_);
  }

protected:
  void on_bytes(std::span<char> bytes) override {
    http_answer answer;
    for (;;) {
      auto found = reader_.next(bytes, answer);
      if (found == http_reader::outcome::more)
        return;
      if (found == http_reader::outcome::bad || waiting_.empty()) {
        close();
        owner_.on_failure_("it answered with what is no HTTP/1.1 answer with "
                           "Content-Length");
        return;
      }
      auto tag = waiting_.front();
      waiting_.pop_front();
      --owner_.pending_;
      owner_.on_answer_(tag, answer);
    }
  }

  void on_end(const std::string& why) override {
    reader_.clear();
    if (is_idle_end(why))
      return;
    owner_.pending_ -= waiting_.size();
    waiting_.clear();
    owner_.on_failure_(why);
  }

private:
  bool is_idle_end(const std::string& why) const {
    return waiting_.empty() && !why.starts_with("connect")
           && !why.starts_with("socket") && !why.starts_with("epoll");
  }

  http_pool& owner_;
  const endpoint& where_;
  http_reader reader_;
  std::deque<uint32_t> waiting_;
  std::string request_;
};

http_pool::http_pool(loop& parent, std::vector<endpoint> where,
                     size_t connections, answer_handler on_answer,
                     failure_handler on_failure)
  : where_(std::move(where)), on_answer_(std::move(on_answer)),
    on_failure_(std::move(on_failure)) {
  for (size_t i = 0; i < connections; ++i)
    lanes_.push_back(
      std::make_unique<lane>(parent, *this, where_[i % where_.size()]));
}

http_pool::~http_pool() {
  // nop
}

void http_pool::post(size_t connection, const std::string& target,
                     std::string_view fields, std::string_view body,
                     uint32_t tag) {
  lanes_[connection]->post(target, fields, body, tag);
}

size_t http_pool::size() const noexcept {
  return lanes_.size();
}

size_t http_pool::pending() const noexcept {
  return pending_;
}

// -- requests and errors ------------------------------------------------------

void append_post(const std::string& target, std::string_view host,
                 std::string_view fields, std::string_view body,
                 std::string& out) {
  out += "POST ";
  out += target;
  out += " HTTP/1.1\r\nHost: ";
  out += host;
  out += "\r\n";
  out += fields;
  out += "Content-Length: ";
  out += std::to_string(body.size());
  out += "\r\n\r\n";
  out += body;
}

std::string_view header(std::string_view head, std::string_view name) {
  auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == y;
  };
  while (!head.empty()) {
    auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    if (line.size() <= name.size() || line[name.size()] != ':'
        || !std::equal(name.begin(), name.end(), line.begin(),
                       [&](char x, char y) { return same(y, x); }))
      continue;
    line.remove_prefix(name.size() + 1);
    auto start = std::min(line.find_first_not_of(' '), line.size());
    return line.substr(start);
  }
  return {};
}

std::string excerpt(const http_answer& answer) {
  std::string result{answer.head.substr(0, answer.head.find("\r\n"))};
  if (!answer.body.empty()) {
    result += ": ";
    result += answer.body.substr(0, 300);
  }
  return result;
}

} // namespace signalbox::load
