#pragma once

#include "transports/net/server.hpp"
#include "transports/net/stream.hpp"
#include "transports/session/carrier.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace signalbox::net {

/// The endless answer of Socket.IO 0.9's transport `htmlfile`: a page in a
/// hidden frame whose scripts call its parent, one for each packet.
class htmlfile_connection
  : public session::carrier,
    public loop::flushable,
    public std::enable_shared_from_this<htmlfile_connection> {
public:
  /// `close_ms` bounds how long the client may take to read the end.
  htmlfile_connection(server& owner, loop& home, std::unique_ptr<stream> io,
                      std::string peer, int64_t close_ms);
  ~htmlfile_connection() override;

  /// Begins to carry `x`; `headers` are further header lines of the answer.
  void start(std::shared_ptr<session::carried> x, const std::string& headers);

  // -- session::carrier -------------------------------------------------------

  void wake() override;
  void send_probe(std::string_view) override;
  void finish() override;
  void abort() override;

  // -- loop::flushable --------------------------------------------------------

  void flush() override;

private:
  void read();
  void on_readable();
  void fill();
  void write();
  void lost();
  void die();

  const shared_limits& limits_;
  loop& home_;
  std::unique_ptr<stream> io_;
  std::string peer_;
  int64_t close_ms_;
  session::timer timer_;
  std::shared_ptr<session::carried> session_;
  std::string out_;
  size_t written_ = 0;
  bool writing_ = false;
  bool dirty_ = false;
  bool finishing_ = false;
  bool ended_ = false;
};

} // namespace signalbox::net
