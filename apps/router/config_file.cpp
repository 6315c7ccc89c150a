#include "apps/router/config_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace signalbox::app {

namespace {

using nlohmann::json;

constexpr size_t max_depth = 16;

// What the parser has consumed so far; it copies its iterators.
struct progress {
  size_t line = 1;
  char last = 0;
};

// Walks over the text and counts lines on the way, because the parser tells
// its consumer no positions.
class counting_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* position, progress* seen)
    : position_(position), seen_(seen) {
    // nop
  }

  reference operator*() const {
    return *position_;
  }

  counting_iterator& operator++() {
    seen_->last = *position_++;
    seen_->line += seen_->last == '\n' ? 1 : 0;
    return *this;
  }

  counting_iterator operator++(int) {
    auto copy = *this;
    ++*this;
    return copy;
  }

  bool operator==(const counting_iterator& x) const {
    return position_ == x.position_;
  }

  bool operator!=(const counting_iterator& x) const {
    return position_ != x.position_;
  }

private:
  const char* position_;
  progress* seen_;
};

// Turns the parser's message into ours: without its name and position, and
// without what it last read, which may be a secret.
std::string explain(std::string what) {
  if (auto column = what.find(", column"); column != std::string::npos)
    what.erase(0, what.find(": ", column) + 2);
  if (auto first = what.find("; last read: "); first != std::string::npos) {
    auto last = what.rfind("'; expected ");
    what.erase(first, last == std::string::npos || last < first
                        ? std::string::npos
                        : last + 1 - first);
  }
  return what;
}

class builder : public nlohmann::json_sax<json> {
public:
  builder(std::string_view input, const progress& seen,
          std::vector<config_error>& errors)
    : input_(input), seen_(seen), errors_(errors) {
    // nop
  }

  bool null() override {
    return scalar(config_value::type::null, "null", seen_.line);
  }

  bool boolean(bool x) override {
    return scalar(config_value::type::boolean, x ? "true" : "false",
                  seen_.line);
  }

  bool number_integer(number_integer_t x) override {
    return number(std::to_string(x));
  }

  bool number_unsigned(number_unsigned_t x) override {
    return number(std::to_string(x));
  }

  bool number_float(number_float_t, const string_t& spelled) override {
    return number(spelled);
  }

  bool string(string_t& x) override {
    return scalar(config_value::type::text, std::move(x), seen_.line);
  }

  bool binary(binary_t&) override {
    return false;
  }

  bool start_object(size_t) override {
    return start(config_value::type::object);
  }

  bool key(string_t& x) override {
    auto& object = open_.back().value;
    auto first =
      static_cast<size_t>(std::find(object.keys.begin(), object.keys.end(), x)
                          - object.keys.begin());
    open_.back().key_line = seen_.line;
    object.keys.push_back(x);
    if (first < object.items.size())
      errors_.push_back({seen_.line, path(),
                         "set twice, first in line "
                           + std::to_string(object.items[first].line)
                           + "; a key is allowed once"});
    return true;
  }

  bool end_object() override {
    return end();
  }

  bool start_array(size_t) override {
    return start(config_value::type::list);
  }

  bool end_array() override {
    return end();
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& x) override {
    // The last character read may be the line break after the culprit.
    auto end = std::min(position == 0 ? 0 : position - 1, input_.size());
    auto lines = std::count(
      input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    errors_.push_back({static_cast<size_t>(lines) + 1, path(),
                       "no valid JSON: " + explain(x.what())});
    return false;
  }

  config_value root() {
    return std::move(root_);
  }

private:
  struct level {
    config_value value;
    size_t key_line = 0;
  };

  // A number is only over when another character was read.
  bool number(std::string text) {
    return scalar(config_value::type::number, std::move(text),
                  seen_.line - (seen_.last == '\n' ? 1 : 0));
  }

  bool scalar(config_value::type is, std::string text, size_t line) {
    config_value x;
    x.is = is;
    x.line = line;
    x.text = std::move(text);
    return add(std::move(x));
  }

  bool add(config_value x) {
    if (open_.empty()) {
      root_ = std::move(x);
      return true;
    }
    auto& parent = open_.back();
    if (parent.value.is == config_value::type::object)
      x.line = parent.key_line;
    parent.value.items.push_back(std::move(x));
    return true;
  }

  bool start(config_value::type is) {
    if (open_.size() == max_depth) {
      errors_.push_back({seen_.line, path(),
                         "nested too deep; " + std::to_string(max_depth)
                           + " levels are allowed"});
      return false;
    }
    level x;
    x.value.is = is;
    x.value.line = seen_.line;
    open_.push_back(std::move(x));
    return true;
  }

  bool end() {
    auto x = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(x));
  }

  // Where the parser is: "rules[1].to".
  std::string path() const {
    std::string result;
    for (const auto& x : open_)
      if (x.value.is == config_value::type::list)
        result += '[' + std::to_string(x.value.items.size()) + ']';
      else if (!x.value.keys.empty())
        result += (result.empty() ? "" : ".") + x.value.keys.back();
    return result;
  }

  std::string_view input_;
  const progress& seen_;
  std::vector<config_error>& errors_;
  std::vector<level> open_;
  config_value root_;
};

} // namespace

std::optional<config_value> parse_config(std::string_view text,
                                         std::vector<config_error>& errors) {
  auto before = errors.size();
  progress seen;
  builder sax{text, seen, errors};
  counting_iterator first{text.data(), &seen};
  counting_iterator last{text.data() + text.size(), &seen};
  json::sax_parse(first, last, &sax, json::input_format_t::json, true, true);
  if (errors.size() != before)
    return {};
  return sax.root();
}

} // namespace signalbox::app
