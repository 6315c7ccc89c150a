#include "apps/router/setting_value.hpp"

#include "apps/router/nearest.hpp"
#include "apps/router/units.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

namespace signalbox::app {

namespace {

using kind = shape::kind;
using type = config_value::type;

std::string enumerate(std::string_view words, std::string_view last) {
  auto xs = split_words(words);
  std::string result;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (i > 0)
      result += i + 1 == xs.size() ? last : ", ";
    result += xs[i];
  }
  return result;
}

std::string print_number(kind is, uint64_t x) {
  if (is == kind::duration)
    return print_duration(milliseconds{static_cast<milliseconds::rep>(x)});
  return is == kind::size ? print_size(x) : std::to_string(x);
}

std::string range(const shape& x) {
  return print_number(x.is, x.least) + " to " + print_number(x.is, x.most);
}

std::string quote(std::string_view x) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (auto c : x)
    if (static_cast<unsigned char>(c) < 0x20) {
      result += "\\u00";
      result += digits[static_cast<size_t>(c) / 16];
      result += digits[static_cast<size_t>(c) % 16];
    } else {
      if (c == '"' || c == '\\')
        result += '\\';
      result += c;
    }
  return result + '"';
}

std::string describe(const shape& x, const config_value& value) {
  // A list of objects as text may have secrets inside.
  if (x.secret || (x.is == kind::objects && value.is == type::word))
    return "the value";
  switch (value.is) {
  case type::list:
    return "a list";
  case type::object:
    return "an object";
  case type::text:
  case type::word:
    return quote(x.form.shown == nullptr ? value.text
                                         : x.form.shown(value.text));
  default:
    return value.text;
  }
}

std::string_view noun(kind is) {
  switch (is) {
  case kind::boolean:
    return "boolean";
  case kind::count:
    return "whole number";
  case kind::size:
    return "size";
  case kind::duration:
    return "duration";
  case kind::text:
  case kind::choice:
    return "text";
  case kind::texts:
  case kind::choices:
    return "list of texts";
  case kind::objects:
    return "list of objects";
  }
  return "value";
}

bool has_control_character(std::string_view x) {
  return std::any_of(x.begin(), x.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

// Returns why a text is refused, or nothing.
std::string text_fault(const shape& x, std::string_view text) {
  if (x.is == kind::choice || x.is == kind::choices) {
    auto words = split_words(x.words);
    return std::find(words.begin(), words.end(), text) == words.end()
             ? " is none of the choices"
             : "";
  }
  // The limits of a list are those of its length.
  auto least = x.is == kind::text ? x.least : 1;
  auto most = x.is == kind::text ? x.most : 4096;
  if (text.size() < least)
    return text.empty()
             ? " is empty"
             : " is shorter than " + std::to_string(least) + " characters";
  if (text.size() > most)
    return " is longer than " + std::to_string(most) + " characters";
  if (has_control_character(text))
    return " has a control character";
  if (!text.empty() && x.form.accepts != nullptr && !x.form.accepts(text))
    return " is not possible";
  return {};
}

// What an item of a list allows; the list's own words are about the list.
std::string allowed_item(const shape& x) {
  return x.is == kind::choices ? enumerate(x.words, " or ")
                               : std::string{x.form.allowed};
}

// `"a, b"` from a flag or the environment is what `["a", "b"]` is in a file.
config_value split_list(const config_value& value) {
  config_value result;
  result.is = type::list;
  std::string_view rest = value.text;
  while (!rest.empty()) {
    auto comma = std::min(rest.find(','), rest.size());
    auto item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    item = item.substr(0, item.find_last_not_of(' ') + 1);
    config_value x;
    x.is = type::text;
    x.text = item;
    result.items.push_back(std::move(x));
  }
  return result;
}

// Assigns one value; a class because nine functions share five parameters.
class assignment {
public:
  assignment(const setting& x, void* owner, const std::string& path,
             const config_value& value, const value_listener& listener)
    : allowed_(x.allowed), field_(x.at(owner)), path_(path), value_(value),
      listener_(listener) {
    // nop
  }

  void run() {
    switch (allowed_.is) {
    case kind::boolean:
      return set_boolean();
    case kind::count:
    case kind::size:
    case kind::duration:
      return set_number();
    case kind::text:
    case kind::choice:
      return set_text();
    case kind::texts:
    case kind::choices:
      return set_texts();
    case kind::objects:
      return set_objects();
    }
  }

private:
  bool is(type expected) const {
    return value_.is == expected || value_.is == type::word;
  }

  void refuse(const std::string& why) const {
    listener_(path_, value_.line,
              describe(allowed_, value_) + why + "; give " + allowed(allowed_));
  }

  void refuse_type() const {
    refuse(" is no " + std::string{noun(allowed_.is)});
  }

  void accept() const {
    listener_(path_, value_.line, {});
  }

  void set_boolean() {
    if (!is(type::boolean) || (value_.text != "true" && value_.text != "false"))
      return refuse_type();
    *std::get<bool*>(field_) = value_.text == "true";
    accept();
  }

  std::optional<uint64_t> number(std::string_view text) const {
    if (allowed_.is == kind::duration) {
      auto x =
        is(type::text) ? parse_duration(text) : std::optional<milliseconds>{};
      return x ? std::optional<uint64_t>(static_cast<uint64_t>(x->count()))
               : std::nullopt;
    }
    if (allowed_.is == kind::size && value_.is == type::text)
      return parse_size(text);
    if (!is(type::number))
      return {};
    return allowed_.is == kind::size ? parse_size(text) : parse_count(text);
  }

  void set_number() {
    auto x = number(value_.text);
    if (!x) {
      auto negative = value_.text.starts_with('-')
                      && number(std::string_view{value_.text}.substr(1));
      return negative ? refuse(" is out of range") : refuse_type();
    }
    if (*x < allowed_.least || *x > allowed_.most)
      return refuse(" is out of range");
    if (allowed_.is == kind::duration)
      *std::get<milliseconds*>(field_) =
        milliseconds{static_cast<milliseconds::rep>(*x)};
    else
      *std::get<size_t*>(field_) = static_cast<size_t>(*x);
    accept();
  }

  void set_text() {
    if (!is(type::text))
      return refuse_type();
    if (auto fault = text_fault(allowed_, value_.text); !fault.empty())
      return refuse(fault);
    if (auto text = std::get_if<std::string*>(&field_))
      **text = value_.text;
    else
      set_enumeration();
    accept();
  }

  void set_enumeration() {
    auto words = split_words(allowed_.words);
    auto index =
      std::find(words.begin(), words.end(), value_.text) - words.begin();
    std::visit(
      [index](auto x) {
        if constexpr (std::is_pointer_v<decltype(x)>) {
          using value_type = std::remove_pointer_t<decltype(x)>;
          if constexpr (std::is_enum_v<value_type>)
            *x = static_cast<value_type>(index);
        }
      },
      field_);
  }

  void set_texts() {
    auto list = value_.is == type::word ? split_list(value_) : value_;
    if (list.is != type::list)
      return refuse_type();
    if (list.items.size() < allowed_.least)
      return refuse(" is too short");
    if (list.items.size() > allowed_.most)
      return refuse(" is too long");
    std::vector<std::string> texts;
    for (size_t i = 0; i < list.items.size(); ++i) {
      const auto& item = list.items[i];
      auto fault =
        item.is != type::text ? " is no text" : text_fault(allowed_, item.text);
      if (fault.empty()
          && std::find(texts.begin(), texts.end(), item.text) != texts.end())
        fault = " is there twice";
      if (!fault.empty())
        return listener_(path_ + '[' + std::to_string(i) + ']', item.line,
                         describe(allowed_, item) + fault + "; give "
                           + allowed_item(allowed_));
      texts.push_back(item.text);
    }
    *std::get<std::vector<std::string>*>(field_) = std::move(texts);
    accept();
  }

  void set_objects() {
    auto list = value_;
    if (value_.is == type::word) {
      std::vector<config_error> errors;
      auto parsed = parse_config(value_.text, errors);
      if (!parsed)
        return refuse(" is no valid JSON");
      list = std::move(*parsed);
    }
    if (list.is != type::list)
      return refuse_type();
    if (list.items.size() < allowed_.least)
      return refuse(" is too short");
    if (list.items.size() > allowed_.most)
      return refuse(" is too long");
    const auto& objects = std::get<object_list>(field_);
    // Each starts from its defaults, not from what an earlier source said.
    objects.resize(objects.list, 0);
    objects.resize(objects.list, list.items.size());
    accept();
    for (size_t i = 0; i < list.items.size(); ++i)
      set_object(objects.members(), objects.element(objects.list, i),
                 path_ + '[' + std::to_string(i) + ']', list.items[i]);
  }

  void set_object(const std::vector<setting>& members, void* element,
                  const std::string& path, const config_value& value) const {
    if (value.is != type::object)
      return listener_(path, value.line,
                       describe(allowed_, value)
                         + " is no object; give an object");
    listener_(path, value.line, {});
    for (size_t i = 0; i < value.items.size(); ++i) {
      const auto& name = value.keys[i];
      if (auto x = find_setting(members, name))
        assign(*x, element, path + '.' + name, value.items[i], listener_);
      else
        listener_(path + '.' + name, value.items[i].line,
                  "unknown setting"
                    + suggestion(name, setting_names(members), path + '.'));
    }
    for (const auto& x : members)
      if (x.allowed.is == kind::text && x.allowed.least > 0
          && std::get<std::string*>(x.at(element))->empty()
          && std::find(value.keys.begin(), value.keys.end(), x.name)
               == value.keys.end())
        listener_(path + '.' + x.name, value.line,
                  "missing; give " + allowed(x.allowed));
  }

  const shape& allowed_;
  field field_;
  const std::string& path_;
  const config_value& value_;
  const value_listener& listener_;
};

std::string print_objects(const object_list& objects) {
  std::string result;
  for (size_t i = 0; i < objects.size(objects.list); ++i) {
    std::string members;
    for (const auto& x : objects.members())
      members += (members.empty() ? "" : ", ") + quote(x.name) + ": "
                 + print_value(x, objects.element(objects.list, i));
    result += (result.empty() ? "{" : ", {") + members + '}';
  }
  return '[' + result + ']';
}

struct printer {
  const shape& allowed;

  std::string operator()(const bool* x) const {
    return *x ? "true" : "false";
  }

  std::string operator()(const size_t* x) const {
    auto text = print_number(allowed.is, *x);
    return allowed.is == kind::size ? quote(text) : text;
  }

  std::string operator()(const milliseconds* x) const {
    return quote(print_duration(*x));
  }

  std::string operator()(const std::string* x) const {
    if (allowed.secret && !x->empty())
      return quote("********");
    return quote(allowed.form.shown == nullptr ? *x : allowed.form.shown(*x));
  }

  std::string operator()(const std::vector<std::string>* xs) const {
    std::string result;
    for (const auto& x : *xs)
      result += (result.empty() ? "" : ", ") + quote(x);
    return '[' + result + ']';
  }

  std::string operator()(const object_list& xs) const {
    return print_objects(xs);
  }

  template <class Enumeration>
  std::string operator()(const Enumeration* x) const {
    return quote(split_words(allowed.words)[static_cast<size_t>(*x)]);
  }
};

} // namespace

std::string allowed(const shape& x) {
  auto most = std::to_string(x.most);
  switch (x.is) {
  case kind::boolean:
    return "true or false";
  case kind::count:
    return "a whole number, " + range(x);
  case kind::size:
    return "bytes, or a number with B, KiB, MiB or GiB, " + range(x);
  case kind::duration:
    return "a number with ms, s, m or h, " + range(x);
  case kind::text:
    if (x.form.allowed == any_text.allowed)
      return "text of " + std::to_string(x.least) + " to " + most
             + " characters";
    return std::string{x.form.allowed} + (x.least == 0 ? ", or \"\"" : "");
  case kind::choice:
    return enumerate(x.words, " or ");
  case kind::choices:
    return "a list of " + enumerate(x.words, " and ")
           + (x.least > 0 ? ", at least one" : "");
  case kind::texts:
    return "a list of up to " + most + ", each " + std::string{x.form.allowed};
  case kind::objects:
    return "a list of " + std::to_string(x.least) + " to " + most + " objects";
  }
  return {};
}

std::string brief(const shape& x) {
  auto numeric =
    x.is == kind::count || x.is == kind::size || x.is == kind::duration;
  return numeric ? range(x) : allowed(x);
}

std::string print_value(const setting& x, void* owner) {
  return std::visit(printer{x.allowed}, x.at(owner));
}

void assign(const setting& x, void* owner, const std::string& path,
            const config_value& value, const value_listener& listener) {
  assignment{x, owner, path, value, listener}.run();
}

std::string suggestion(std::string_view typed,
                       const std::vector<std::string>& names,
                       std::string_view prefix) {
  auto name = nearest(typed, names);
  if (name.empty())
    return {};
  return " (did you mean " + std::string{prefix} + name + "?)";
}

} // namespace signalbox::app
