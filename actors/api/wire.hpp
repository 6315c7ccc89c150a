#pragma once

#include "actors/api/wire_events.hpp"
#include "actors/api/wire_keys.hpp"
#include "actors/api/wire_link.hpp"
#include "actors/api/wire_users.hpp"

// What nodes say to each other, in batches on the link between two of them.
