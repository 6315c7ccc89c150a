<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * Any failure of the router. Catch this one where a page should go
 * on without push.
 */
class SignalboxException extends \RuntimeException
{
}
