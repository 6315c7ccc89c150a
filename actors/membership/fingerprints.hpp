#pragma once

#include "actors/api/settings.hpp"
#include "actors/api/wire_link.hpp"

#include <string_view>
#include <vector>

namespace signalbox {

/// Name of the setting without which nothing else can be alike.
constexpr std::string_view sid_key_setting = "cluster.sid-key";

/// Returns fingerprints of the settings that all nodes of a cluster have alike:
/// `cluster.sid-key`, namespaces, rules and keys. They are keyed by what scrypt
/// makes of `cluster.sid-key` and the cluster's name: without the sid-key no
/// guess at a secret can be tried on them, and each guess at the sid-key itself
/// costs tens of milliseconds. So does the call.
std::vector<wire::fingerprint> fingerprints(const settings& opts);

/// Returns the names of the settings of which both sides tell and that differ.
std::vector<std::string> differences(const std::vector<wire::fingerprint>& mine,
                                     const std::vector<wire::fingerprint>& its);

} // namespace signalbox
