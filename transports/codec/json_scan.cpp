#include "transports/codec/json_scan.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/codec/utf8.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

// The scanner keeps its own stack: a text of brackets must cost memory up to
// the depth limit, not the thread's stack.

namespace signalbox::codec {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c))
    return c - '0';
  auto lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Tests eight bytes at once for those that end a run of plain string content: a
// quote, a backslash or a control character (Hacker's Delight, 6-1). Bytes of
// multi-byte characters have the top bit set and pass. Of the top bits that are
// set the lowest is right; a borrow may have set those above it.
uint64_t specials(uint64_t word) {
  constexpr uint64_t ones = 0x0101010101010101u;
  constexpr uint64_t tops = 0x8080808080808080u;
  auto quote = word ^ (ones * '"');
  auto backslash = word ^ (ones * '\\');
  auto control = (word - ones * 0x20) & ~word;
  return (control | ((quote - ones) & ~quote)
          | ((backslash - ones) & ~backslash))
         & tops;
}

enum class key_name : uint8_t { other, placeholder, num };

// An open array or object.
struct frame {
  bool object = false;
  // The two members that make a placeholder; of equal keys the last counts,
  // as in JSON.parse.
  bool placeholder = false;
  int64_t num = -1;
  key_name key = key_name::other;
  size_t begin = 0;
  // How many placeholders came before this value.
  size_t placeholders = 0;
};

class scanner {
public:
  scanner(std::string_view text, const json_limits& limits)
    : first_(text.data()), pos_(text.data()), end_(text.data() + text.size()),
      limits_(limits) {
    stack_.reserve(8);
  }

  result<json_view> run() {
    for (;;) {
      skip_blanks();
      if (pos_ == end_)
        break;
      if (auto code = step(); code != errc::none)
        return code;
    }
    if (next_ != token::end)
      return errc::bad_json;
    return std::move(view_);
  }

private:
  // What may come next.
  enum class token : uint8_t {
    value,
    value_or_close,
    key,
    key_or_close,
    comma_or_close,
    end,
  };

  errc step() {
    switch (next_) {
    case token::value:
      return value();
    case token::value_or_close:
      return *pos_ == ']' ? close() : value();
    case token::key:
      return key();
    case token::key_or_close:
      return *pos_ == '}' ? close() : key();
    case token::comma_or_close:
      if (*pos_ != ',')
        return close();
      ++pos_;
      next_ = stack_.back().object ? token::key : token::value;
      return errc::none;
    case token::end:
      break;
    }
    return errc::bad_json;
  }

  errc value() {
    if (!stack_.empty()) {
      if (nodes_++ == limits_.nodes)
        return errc::json_too_wide;
      if (stack_.size() == 1)
        element_ = pos_;
      forget_member();
    }
    switch (*pos_) {
    case '{':
      return open(json_kind::object);
    case '[':
      return open(json_kind::array);
    case '"':
      return scalar(json_kind::string, string());
    case 't':
      return scalar(json_kind::boolean, literal("true", true));
    case 'f':
      return scalar(json_kind::boolean, literal("false", false));
    case 'n':
      return scalar(json_kind::null, literal("null", false));
    default:
      return scalar(json_kind::number, number());
    }
  }

  errc open(json_kind kind) {
    if (stack_.size() == limits_.depth)
      return errc::json_too_deep;
    if (stack_.empty())
      view_.kind = kind;
    auto object = kind == json_kind::object;
    if (stack_.empty() && !object)
      view_.elements.reserve(4);
    auto& top = stack_.emplace_back();
    top.object = object;
    top.begin = static_cast<size_t>(pos_ - first_);
    top.placeholders = view_.placeholders.size();
    next_ = object ? token::key_or_close : token::value_or_close;
    ++pos_;
    return errc::none;
  }

  errc close() {
    const auto& top = stack_.back();
    if (*pos_ != (top.object ? '}' : ']'))
      return errc::bad_json;
    ++pos_;
    if (top.placeholder) {
      view_.placeholders.resize(top.placeholders);
      auto end = static_cast<size_t>(pos_ - first_);
      view_.placeholders.push_back({top.begin, end, top.num});
    }
    stack_.pop_back();
    finish_value();
    return errc::none;
  }

  errc scalar(json_kind kind, errc code) {
    if (stack_.empty())
      view_.kind = kind;
    finish_value();
    return code;
  }

  void finish_value() {
    if (stack_.empty()) {
      next_ = token::end;
      return;
    }
    next_ = token::comma_or_close;
    if (stack_.size() == 1 && !stack_.back().object)
      view_.elements.emplace_back(element_,
                                  static_cast<size_t>(pos_ - element_));
  }

  errc key() {
    if (*pos_ != '"')
      return errc::bad_json;
    auto begin = pos_;
    if (auto code = string(); code != errc::none)
      return code;
    stack_.back().key = classify({begin, static_cast<size_t>(pos_ - begin)});
    skip_blanks();
    if (pos_ == end_ || *pos_ != ':')
      return errc::bad_json;
    ++pos_;
    next_ = token::value;
    return errc::none;
  }

  key_name classify(std::string_view literal) const {
    constexpr std::string_view placeholder = "\"_placeholder\"";
    constexpr std::string_view num = "\"num\"";
    constexpr size_t longest_escaped = 6 * placeholder.size();
    if (literal == placeholder)
      return key_name::placeholder;
    if (literal == num)
      return key_name::num;
    if (!escaped_ || literal.size() > longest_escaped)
      return key_name::other;
    auto name = unquote_json(literal);
    if (name == placeholder.substr(1, placeholder.size() - 2))
      return key_name::placeholder;
    return name == num.substr(1, num.size() - 2) ? key_name::num
                                                 : key_name::other;
  }

  void forget_member() {
    auto& top = stack_.back();
    if (top.key == key_name::placeholder)
      top.placeholder = false;
    else if (top.key == key_name::num)
      top.num = -1;
  }

  errc literal(std::string_view word, bool is_true) {
    if (static_cast<size_t>(end_ - pos_) < word.size()
        || std::memcmp(pos_, word.data(), word.size()) != 0)
      return errc::bad_json;
    pos_ += word.size();
    if (is_true && !stack_.empty()
        && stack_.back().key == key_name::placeholder)
      stack_.back().placeholder = true;
    return errc::none;
  }

  errc number() {
    auto begin = pos_;
    if (*pos_ == '-')
      ++pos_;
    if (pos_ != end_ && *pos_ == '0')
      ++pos_;
    else if (!digits())
      return errc::bad_json;
    auto natural = *begin != '-';
    if (pos_ != end_ && *pos_ == '.') {
      natural = false;
      ++pos_;
      if (!digits())
        return errc::bad_json;
    }
    if (pos_ != end_ && (*pos_ == 'e' || *pos_ == 'E')) {
      natural = false;
      ++pos_;
      if (pos_ != end_ && (*pos_ == '+' || *pos_ == '-'))
        ++pos_;
      if (!digits())
        return errc::bad_json;
    }
    if (natural && !stack_.empty() && stack_.back().key == key_name::num)
      stack_.back().num = small_natural(begin);
    return errc::none;
  }

  int64_t small_natural(const char* begin) const {
    constexpr ptrdiff_t most_digits = 9;
    if (pos_ - begin > most_digits)
      return -1;
    int64_t n = 0;
    for (; begin != pos_; ++begin)
      n = n * 10 + (*begin - '0');
    return n;
  }

  bool digits() {
    auto begin = pos_;
    pos_ = std::find_if_not(pos_, end_, is_digit);
    return pos_ != begin;
  }

  errc string() {
    auto begin = ++pos_;
    escaped_ = false;
    uint64_t seen = 0;
    for (;;) {
      skip_plain(seen);
      if (pos_ == end_)
        return errc::bad_json;
      if (*pos_ == '"')
        break;
      escaped_ = true;
      if (!escape())
        return errc::bad_json;
    }
    std::string_view content{begin, static_cast<size_t>(pos_ - begin)};
    ++pos_;
    constexpr uint64_t tops = 0x8080808080808080u;
    if ((seen & tops) != 0 && !valid_utf8(content))
      return errc::bad_utf8;
    return errc::none;
  }

  // Advances to the next byte that is not plain content, collecting in `seen`
  // whether any had its top bit set.
  void skip_plain(uint64_t& seen) {
    static_assert(std::endian::native == std::endian::little);
    for (uint64_t word; end_ - pos_ >= 8; pos_ += 8, seen |= word) {
      std::memcpy(&word, pos_, 8);
      if (auto found = specials(word); found != 0) {
        auto plain = std::countr_zero(found) / 8;
        seen |= word & ((uint64_t{1} << 8 * plain) - 1);
        pos_ += plain;
        return;
      }
    }
    for (; pos_ != end_; ++pos_) {
      auto c = static_cast<uint8_t>(*pos_);
      if (c == '"' || c == '\\' || c < 0x20)
        return;
      seen |= c;
    }
  }

  bool escape() {
    constexpr std::string_view letters = "\"\\/bfnrt";
    if (*pos_ != '\\' || ++pos_ == end_)
      return false;
    auto c = *pos_++;
    if (c != 'u')
      return letters.find(c) != std::string_view::npos;
    if (end_ - pos_ < 4)
      return false;
    auto is_hex = [](char x) { return hex_value(x) >= 0; };
    auto ok = std::all_of(pos_, pos_ + 4, is_hex);
    pos_ += 4;
    return ok;
  }

  void skip_blanks() {
    while (pos_ != end_
           && (*pos_ == ' ' || *pos_ == '\n' || *pos_ == '\r' || *pos_ == '\t'))
      ++pos_;
  }

  const char* first_;
  const char* pos_;
  const char* end_;
  const char* element_ = nullptr;
  const json_limits& limits_;
  token next_ = token::value;
  // Whether the last string had an escape.
  bool escaped_ = false;
  size_t nodes_ = 0;
  std::vector<frame> stack_;
  json_view view_;
};

} // namespace

result<json_view> scan_json(std::string_view text, const json_limits& limits) {
  return scanner{text, limits}.run();
}

json_kind kind_of(std::string_view element) noexcept {
  switch (element.empty() ? 'n' : element.front()) {
  case 'n':
    return json_kind::null;
  case 't':
  case 'f':
    return json_kind::boolean;
  case '"':
    return json_kind::string;
  case '[':
    return json_kind::array;
  case '{':
    return json_kind::object;
  default:
    return json_kind::number;
  }
}

} // namespace signalbox::codec
