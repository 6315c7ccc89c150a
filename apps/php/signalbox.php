<?php

declare(strict_types=1);

// All that a site without Composer has to require.

require_once __DIR__ . '/src/SignalboxException.php';
require_once __DIR__ . '/src/InvalidCallException.php';
require_once __DIR__ . '/src/RefusedException.php';
require_once __DIR__ . '/src/TransportException.php';
require_once __DIR__ . '/src/Connection.php';
require_once __DIR__ . '/src/Client.php';
require_once __DIR__ . '/src/ComponentTrait.php';
