#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace signalbox::net {

/// What an operator should learn, because a setting would change it.
enum class notice : uint8_t {
  /// A client that names no revision was taken for one of 3.
  revision_assumed,
  /// A client was refused that names no revision.
  revision_missing,
  /// A client was refused that names an unknown revision, or one that is not
  /// served.
  revision_refused,
  /// The client's script was asked for, and none is served.
  no_client_files,
  /// A request for a WebSocket came without the header that asks for it.
  no_upgrade,
  /// Many clients in a row stayed with polling.
  never_upgraded,
  /// An address has as many connections as one may have.
  per_ip,
  /// An address opens connections faster than one may.
  per_ip_rate,
  /// An address has as many sessions as one may have.
  sessions_per_ip,
  /// There are as many sessions as there may be.
  sessions,
  /// The memory of the process is used up.
  memory,
  /// There are as many connections as there may be.
  connections,
  count_,
};

/// Takes the subject of a notice: the address of a client, a path or a
/// revision, as a stranger wrote it. From any thread, and often.
using notice_listener = std::function<void(notice, std::string_view about)>;

} // namespace signalbox::net
