<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * There was no answer of the router: it could not be reached, took too long,
 * or something else answered.
 */
class TransportException extends SignalboxException
{
    /** @var bool */
    private $mayHaveArrived;

    public function __construct(string $message, bool $mayHaveArrived, int $code = 0)
    {
        $this->mayHaveArrived = $mayHaveArrived;
        parent::__construct($message, $code);
    }

    /**
     * Returns whether the router may have done what was asked. False is
     * certain: it has not.
     */
    public function mayHaveArrived(): bool
    {
        return $this->mayHaveArrived;
    }
}
