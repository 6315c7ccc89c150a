<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * The call cannot be made as it stands: a mistake in the program or in its
 * data. Nothing was sent.
 */
class InvalidCallException extends SignalboxException
{
}
