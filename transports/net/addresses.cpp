#include "transports/net/addresses.hpp"

#include <algorithm>

namespace signalbox::net {

using boost::asio::ip::tcp;

address_list take_turns(const address_list& all, size_t most) {
  address_list first;
  address_list second;
  for (const auto& x : all) {
    auto& mine = x.protocol() == all.front().protocol() ? first : second;
    if (std::find(mine.begin(), mine.end(), x) == mine.end())
      mine.push_back(x);
  }
  address_list out;
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i)
    for (const auto* list : {&first, &second})
      if (i < list->size() && out.size() < most)
        out.push_back((*list)[i]);
  return out;
}

void prefer(address_list& all, const tcp::endpoint& x) {
  auto i = std::find(all.begin(), all.end(), x);
  if (i != all.end())
    std::rotate(all.begin(), i, i + 1);
}

} // namespace signalbox::net
