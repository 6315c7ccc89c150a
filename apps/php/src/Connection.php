<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * The HTTP calls of a client, over one connection that is kept. A part of
 * Client.
 */
final class Connection
{
    /** CURLE_SEND_FAIL_REWIND, for which PHP has no name. */
    private const CANNOT_REWIND = 65;

    /** @var string */
    private $url;
    /** @var string */
    private $key;
    /** @var int */
    private $connectTimeoutMs;
    /** @var int */
    private $keepAliveMs;
    /** @var string */
    private $caFile;
    /** @var resource|\CurlHandle|null */
    private $handle;
    /** @var int|false the process that opened the handle */
    private $process = 0;
    /** @var int when the last call ended, in nanoseconds */
    private $used = 0;

    public function __construct(
        string $url,
        // Since PHP 8.2 this keeps the key out of traces; before, it is a comment.
        #[\SensitiveParameter]
        string $key,
        int $connectTimeoutMs,
        int $keepAliveMs,
        string $caFile
    ) {
        $this->url = $url;
        $this->key = $key;
        $this->connectTimeoutMs = $connectTimeoutMs;
        $this->keepAliveMs = $keepAliveMs;
        $this->caFile = $caFile;
    }

    /**
     * Makes one call and returns its answer, whatever the status, as
     * `['status' => int, 'type' => string, 'body' => string]`.
     *
     * A kept connection may end just when a call has left on it. A call that is
     * `$repeatable` is then made once more on a new one; any other fails, for it
     * may have been done.
     *
     * @throws TransportException
     */
    public function call(
        string $method,
        string $path,
        ?string $body,
        int $timeoutMs,
        bool $repeatable
    ): array {
        $idle = hrtime(true) - $this->used > $this->keepAliveMs * 1000000;
        $outcome = $this->exchange($method, $path, $body, $timeoutMs, $idle);
        $sent = $outcome['sent'];
        if ($outcome['lost'] && $repeatable) {
            $outcome = $this->exchange($method, $path, $body, $timeoutMs, true);
            $sent = $sent || $outcome['sent'];
        }
        if ($outcome['errno'] !== 0) {
            throw $this->failure($outcome, $sent, $repeatable, $timeoutMs);
        }
        return $outcome;
    }

    /** Closes the connection; the next call opens another one. */
    public function close(): void
    {
        $this->handle = null;
    }

    /** Keeps the key out of dumps. */
    public function __debugInfo(): array
    {
        return ['url' => $this->url];
    }

    /** Makes one attempt, on a new connection if `$fresh`. */
    private function exchange(
        string $method,
        string $path,
        ?string $body,
        int $timeoutMs,
        bool $fresh
    ): array {
        $handle = $this->handle();
        $options = [
            CURLOPT_URL => $this->url . $path,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1,
            CURLOPT_HTTPHEADER => [
                'Authorization: Bearer ' . $this->key,
                'Content-Type: application/json',
                // Without this libcurl asks leave to send a long body.
                'Expect:',
            ],
            CURLOPT_USERAGENT => 'signalbox-php',
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_FOLLOWLOCATION => false,
            // A user may be called `..`.
            CURLOPT_PATH_AS_IS => true,
            // The variable http_proxy is not meant for this.
            CURLOPT_PROXY => '',
            CURLOPT_NOSIGNAL => true,
            CURLOPT_CONNECTTIMEOUT_MS => $this->connectTimeoutMs,
            CURLOPT_TIMEOUT_MS => $timeoutMs,
            CURLOPT_MAXCONNECTS => 1,
            CURLOPT_FRESH_CONNECT => $fresh,
            CURLOPT_SSL_VERIFYPEER => true,
            CURLOPT_SSL_VERIFYHOST => 2,
            CURLOPT_SSLVERSION => CURL_SSLVERSION_TLSv1_2,
        ];
        if ($this->caFile !== '') {
            $options[CURLOPT_CAINFO] = $this->caFile;
        }
        $read = 0;
        if ($body !== null) {
            // Given as CURLOPT_POSTFIELDS the body would be sent a second time
            // by libcurl itself when a kept connection ends before the answer.
            // What comes from a callback it cannot rewind, so it gives up.
            $options[CURLOPT_UPLOAD] = true;
            $options[CURLOPT_INFILESIZE] = strlen($body);
            $options[CURLOPT_READFUNCTION] =
                static function ($handle, $file, int $most) use ($body, &$read): string {
                    $piece = (string) substr($body, $read, $most);
                    $read += strlen($piece);
                    return $piece;
                };
        }
        curl_setopt_array($handle, $options);
        $text = curl_exec($handle);
        $errno = curl_errno($handle);
        $reused = curl_getinfo($handle, CURLINFO_NUM_CONNECTS) === 0;
        $silent = curl_getinfo($handle, CURLINFO_HEADER_SIZE) === 0;
        $outcome = [
            'status' => (int) curl_getinfo($handle, CURLINFO_RESPONSE_CODE),
            'type' => (string) curl_getinfo($handle, CURLINFO_CONTENT_TYPE),
            'body' => (string) $text,
            'errno' => $errno,
            'error' => $errno === self::CANNOT_REWIND ? 'a kept one, just as this was sent'
                : curl_error($handle),
            // Before its last byte the router cannot have taken a body.
            'sent' => $body !== null && $read === strlen($body),
            'reached' => $errno === self::CANNOT_REWIND
                || curl_getinfo($handle, CURLINFO_REQUEST_SIZE) > 0,
            'lost' => $silent && ($errno === self::CANNOT_REWIND
                || ($reused && in_array(
                    $errno,
                    [CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR],
                    true
                ))),
        ];
        // Drops body and callback; the connection stays.
        curl_reset($handle);
        $this->used = hrtime(true);
        return $outcome;
    }

    /** @return resource|\CurlHandle */
    private function handle()
    {
        // A forked process must not speak on its parent's connection.
        if ($this->handle === null || $this->process !== getmypid()) {
            $handle = curl_init();
            if ($handle === false) {
                throw new TransportException('curl_init failed', false);
            }
            $this->handle = $handle;
            $this->process = getmypid();
        }
        return $this->handle;
    }

    private function failure(
        array $outcome,
        bool $sent,
        bool $repeatable,
        int $timeoutMs
    ): TransportException {
        $late = $outcome['errno'] === CURLE_OPERATION_TIMEDOUT;
        if (!$outcome['reached'] && !$sent) {
            $limit = min($this->connectTimeoutMs, $timeoutMs);
            $why = $late ? "no connection within $limit ms" : $outcome['error'];
            $what = "the router at $this->url cannot be reached ($why); "
                . 'nothing was sent. Is it running, and is this its listen.ingest?';
        } elseif ($late) {
            $what = "the router at $this->url did not answer within $timeoutMs ms";
        } else {
            $what = "the router at $this->url ended the connection without an answer "
                . "({$outcome['error']})";
        }
        if ($sent) {
            $what .= $repeatable
                ? '. It may have done this; to ask again does no harm'
                : '. It may have done this: without an idempotency key a repeat may be '
                    . 'a second delivery';
        }
        return new TransportException($what, $sent, $outcome['errno']);
    }
}
