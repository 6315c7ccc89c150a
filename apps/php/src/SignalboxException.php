<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * Whatever goes wrong with the router. Catch this one where a page should go
 * on without push.
 */
class SignalboxException extends \RuntimeException
{
}
