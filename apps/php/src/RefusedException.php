<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * The router took the call and refused it. An event that was refused went to
 * nobody.
 */
class RefusedException extends SignalboxException
{
    /** @var int */
    private $status;
    /** @var string */
    private $errorCode;
    /** @var string */
    private $reason;
    /** @var string */
    private $pointer;

    public function __construct(int $status, string $errorCode, string $reason, string $pointer)
    {
        $this->status = $status;
        $this->errorCode = $errorCode;
        $this->reason = $reason;
        $this->pointer = $pointer;
        $at = $pointer === '' ? '' : " at $pointer";
        parent::__construct("the router refused this: $errorCode$at: $reason", $status);
    }

    /**
     * Makes one of a refusal as the router answers it: the member `error` with
     * `code`, `message` and `pointer`.
     */
    public static function fromAnswer(int $status, array $answer): self
    {
        $error = $answer['error'] ?? [];
        return new self(
            $status,
            (string) ($error['code'] ?? 'unknown'),
            (string) ($error['message'] ?? 'the router gave no reason'),
            (string) ($error['pointer'] ?? '')
        );
    }

    /** Returns the HTTP status; that of an entry of a batch is 200. */
    public function getStatus(): int
    {
        return $this->status;
    }

    /** Returns the router's code, such as `no_rule`. */
    public function getErrorCode(): string
    {
        return $this->errorCode;
    }

    /** Returns what the router says about it, without code and pointer. */
    public function getReason(): string
    {
        return $this->reason;
    }

    /** Returns the JSON pointer to what is wrong; empty if it is the whole. */
    public function getPointer(): string
    {
        return $this->pointer;
    }
}
