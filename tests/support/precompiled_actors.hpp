#pragma once

// What the suites of actors include, compiled once for all of them: whatever
// changes when a message changes, and nothing of a single room. A suite
// includes what it needs all the same.

#include "actors/api/counters.hpp"
#include "actors/api/credentials.hpp"
#include "actors/api/handles.hpp"
#include "actors/api/settings.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/test/dsl.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>
