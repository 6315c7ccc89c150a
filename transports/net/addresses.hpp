#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <vector>

// Pure rules about the addresses of one name.

namespace signalbox::net {

/// The addresses of a name in the order in which they are tried.
using address_list = std::vector<boost::asio::ip::tcp::endpoint>;

/// Puts addresses of both families in turn, beginning with the family of the
/// first (RFC 8305 section 4); drops doubles and what is beyond `most`.
address_list take_turns(const address_list& all, size_t most);

/// Moves an address that answered to the front.
void prefer(address_list& all, const boost::asio::ip::tcp::endpoint& x);

} // namespace signalbox::net
