#include "transports/codec/reply_reader.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace signalbox::codec {

namespace {

constexpr std::string_view cut = "connection closed before the reply was "
                                 "complete";

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view x) noexcept {
  while (!x.empty() && is_blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && is_blank(x.back()))
    x.remove_suffix(1);
  return x;
}

bool is_token(std::string_view x) noexcept {
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z')
           || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string::npos;
  });
}

bool has_control(std::string_view x) noexcept {
  return std::any_of(x.begin(), x.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  });
}

std::string lower_case(std::string_view x) {
  std::string out{x};
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

/// Calls `fun` with each item of a comma separated list, in lower case.
template <class F>
void for_each_item(std::string_view list, F fun) {
  while (!list.empty()) {
    auto end = std::min(list.find(','), list.size());
    if (auto item = trim(list.substr(0, end)); !item.empty())
      fun(lower_case(item));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

std::optional<uint64_t> parse_number(std::string_view digits, int base) {
  uint64_t out = 0;
  const auto* end = digits.data() + digits.size();
  auto [at, ec] = std::from_chars(digits.data(), end, out, base);
  if (ec != std::errc{} || at != end)
    return std::nullopt;
  return out;
}

} // namespace

reply_reader::reply_reader(const limits& bounds) : bounds_(bounds) {
  // nop
}

bool reply_reader::keeps() const noexcept {
  return state_ == state::complete && !odd_ && !close_
         && step_ != step::until_end && (!old_ || keep_alive_);
}

size_t reply_reader::take(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  size_t used = 0;
  while (used < bytes.size() && state_ != state::complete
         && state_ != state::bad) {
    auto rest = bytes.substr(used);
    auto in_body =
      step_ == step::sized || step_ == step::until_end || step_ == step::chunk;
    used += in_body ? take_body(rest) : take_line(rest);
  }
  return used;
}

void reply_reader::end() {
  if (state_ == state::body && step_ == step::until_end)
    state_ = state::complete;
  else if (state_ != state::complete && state_ != state::bad)
    fail(begun_ ? cut : "connection closed without a reply");
}

size_t reply_reader::take_line(std::string_view bytes) {
  auto end = bytes.find('\n');
  auto size = end == std::string_view::npos ? bytes.size() : end + 1;
  auto framing = step_ == step::chunk_size || step_ == step::chunk_end;
  auto& spent = framing ? frame_bytes_ : head_bytes_;
  spent += size;
  // Many small chunks have as much framing as content.
  if (spent > bounds_.head + (framing ? bounds_.body : 0)) {
    too_large_ = true;
    fail("reply with a header larger than the limit");
    return size;
  }
  line_.append(bytes.substr(0, size));
  // What speaks another protocol need not send a whole line.
  if (step_ == step::status) {
    if (line_.starts_with("\x15\x03"))
      fail("it speaks TLS at this port; give https:// in the URL");
    else if (auto n = std::min<size_t>(line_.size(), 5);
             std::string_view{line_}.substr(0, n)
             != std::string_view{"HTTP/"}.substr(0, n))
      fail("malformed reply: it does not begin with HTTP/");
  }
  if (end == std::string_view::npos || state_ == state::bad)
    return size;
  auto line = std::move(line_);
  line_.clear();
  line.pop_back();
  auto plain = line.ends_with('\r');
  if (plain)
    line.pop_back();
  on_line(line, plain);
  return size;
}

void reply_reader::on_line(std::string_view line, bool plain_end) {
  odd_ = odd_ || !plain_end;
  if (line.find('\0') != std::string_view::npos)
    return fail("malformed reply: a NUL in its header");
  odd_ = odd_ || has_control(line);
  switch (step_) {
  case step::status:
    return on_status(line);
  case step::header:
    return on_header(line);
  case step::chunk_size:
    if (!plain_end)
      return fail("malformed reply: a chunk without CR LF");
    return on_chunk_size(line);
  case step::chunk_end:
    if (!line.empty() || !plain_end)
      return fail("malformed reply: a chunk longer than it said");
    step_ = step::chunk_size;
    return;
  default:
    if (line.empty())
      state_ = state::complete;
  }
}

void reply_reader::on_status(std::string_view line) {
  constexpr size_t version = 8;
  auto name = line.substr(0, version);
  auto rest = line.substr(std::min(version, line.size()));
  if ((name != "HTTP/1.1" && name != "HTTP/1.0" && name != "HTTP/2.0")
      || !rest.starts_with(' '))
    return fail("malformed reply: its first line is no status line of "
                "HTTP/1.1");
  old_ = name == "HTTP/1.0";
  odd_ = odd_ || name == "HTTP/2.0" || rest.starts_with("  ");
  while (rest.starts_with(' '))
    rest.remove_prefix(1);
  auto code = rest.substr(0, 3);
  if (code.size() < 3 || !std::all_of(code.begin(), code.end(), is_digit)
      || code[0] == '0' || (rest.size() > 3 && rest[3] != ' '))
    return fail("malformed reply: its status is no number of three digits");
  status_ = static_cast<unsigned>(*parse_number(code, 10));
  step_ = step::header;
}

void reply_reader::on_header(std::string_view line) {
  if (!line.empty() && is_blank(line.front())) {
    if (name_.empty())
      return fail("malformed reply: a header line that continues nothing");
    odd_ = true;
    value_ += ' ';
    value_ += trim(line);
    return;
  }
  on_field();
  if (state_ == state::bad)
    return;
  if (line.empty())
    return on_head_end();
  auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return fail("malformed reply: a header line without a colon");
  auto name = line.substr(0, colon);
  odd_ = odd_ || !is_token(name);
  // A line without a name is passed over, and so is what continues it.
  name_ = lower_case(trim(name));
  value_ = trim(line.substr(colon + 1));
  if (name_.empty())
    name_ = ":";
}

void reply_reader::on_field() {
  auto name = std::exchange(name_, {});
  auto value = std::exchange(value_, {});
  if (name == "content-length")
    return on_length(trim(value));
  auto add = [&value](std::string& list) {
    list += list.empty() ? "" : ", ";
    list += value;
  };
  if (name == "transfer-encoding") {
    odd_ = odd_ || !transfer_coding_.empty();
    add(transfer_coding_);
  } else if (name == "content-encoding") {
    add(content_encoding_);
  } else if (name == "content-type") {
    content_type_ = trim(value);
  } else if (name == "connection") {
    for_each_item(value, [this](const std::string& item) {
      close_ = close_ || item == "close";
      keep_alive_ = keep_alive_ || item == "keep-alive";
    });
  }
}

void reply_reader::on_length(std::string_view value) {
  if (value.starts_with('+')) {
    odd_ = true;
    value.remove_prefix(1);
  }
  odd_ = odd_ || length_ || (value.size() > 1 && value.front() == '0');
  auto told = value.empty() || !is_digit(value.front())
                ? std::nullopt
                : parse_number(value, 10);
  if (!told)
    return fail("malformed reply: its Content-Length is no number");
  if (length_ && *length_ != *told)
    return fail("malformed reply: it has two different Content-Length");
  length_ = told;
}

void reply_reader::on_head_end() {
  if (status_ == 101)
    return fail("it switches to another protocol, which was not asked for");
  if (status_ < 200) {
    // Another answer follows; an interim one has no body.
    odd_ = odd_ || length_ || !transfer_coding_.empty();
    length_.reset();
    transfer_coding_.clear();
    content_type_.clear();
    content_encoding_.clear();
    step_ = step::status;
    return;
  }
  state_ = state::body;
  auto chunked = false;
  for_each_item(transfer_coding_, [&chunked](const std::string& item) {
    chunked = item == "chunked";
  });
  odd_ = odd_
         || (!transfer_coding_.empty()
             && (length_ || old_ || lower_case(transfer_coding_) != "chunked"));
  if (bodyless()) {
    state_ = state::complete;
  } else if (chunked) {
    step_ = step::chunk_size;
  } else if (!transfer_coding_.empty() || !length_) {
    step_ = step::until_end;
  } else if (*length_ > bounds_.body) {
    too_large_ = true;
    fail("reply larger than the limit");
  } else {
    step_ = step::sized;
    left_ = *length_;
    if (left_ == 0)
      state_ = state::complete;
  }
}

void reply_reader::on_chunk_size(std::string_view line) {
  auto digits = line.substr(0, std::min(line.find(';'), line.size()));
  auto size = parse_number(trim(digits), 16);
  if (!size || trim(digits).front() == '-')
    return fail("malformed reply: a chunk whose size is no number");
  odd_ = odd_ || trim(digits) != digits;
  left_ = *size;
  step_ = left_ == 0 ? step::trailer : step::chunk;
}

size_t reply_reader::take_body(std::string_view bytes) {
  if (step_ == step::until_end) {
    append(bytes);
    return bytes.size();
  }
  auto n = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  append(bytes.substr(0, n));
  left_ -= n;
  if (left_ > 0 || state_ == state::bad)
    return n;
  if (step_ == step::sized)
    state_ = state::complete;
  else
    step_ = step::chunk_end;
  return n;
}

void reply_reader::append(std::string_view bytes) {
  if (bytes.size() > bounds_.body - body_.size()) {
    too_large_ = true;
    return fail("reply larger than the limit");
  }
  body_.append(bytes);
}

void reply_reader::fail(std::string_view why) {
  state_ = state::bad;
  fault_ = why;
}

} // namespace signalbox::codec
