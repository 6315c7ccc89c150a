<?php

declare(strict_types=1);

namespace Signalbox;

/**
 * Posts events to a router and asks it about users, by its HTTP ingest. All
 * calls of a client share one connection, which the first one opens.
 *
 * Every call may throw: InvalidCallException before anything is sent,
 * RefusedException if the router says no, TransportException if it says
 * nothing.
 */
final class Client
{
    /** Most events of a batch, and most users of a question. */
    public const MAX_BATCH = 1000;

    private const OPTIONS = [
        'connectTimeoutMs' => 1000,
        'timeoutMs' => 3000,
        'keepAliveMs' => 10000,
        'caFile' => '',
    ];

    private const EVENT_OPTIONS =
        ['namespace', 'key', 'volatile', 'to', 'event', 'args', 'confirm'];

    private const JSON = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE
        | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;

    /** @var string */
    private $url;
    /** @var int */
    private $timeoutMs;
    /** @var Connection */
    private $connection;

    /**
     * @param string $url address of the router's `listen.ingest`, such as
     *     `http://127.0.0.1:8401`
     * @param string $key one of the router's `ingest.keys`
     * @param array $options
     *     - `connectTimeoutMs` (1000): limit for opening a connection
     *     - `timeoutMs` (3000): limit for a whole call; a confirm has its
     *       deadline on top
     *     - `keepAliveMs` (10000): a connection that rested longer is not used
     *       again; keep it below the router's `limits.idle-timeout`
     *     - `caFile`: PEM file with the authority of an https address; without
     *       it the system's count
     */
    public function __construct(
        string $url,
        // Since PHP 8.2 this keeps the key out of traces; before, it is a comment.
        #[\SensitiveParameter]
        string $key,
        array $options = []
    ) {
        $url = rtrim($url, '/');
        $host = '(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(:\d{1,5})?';
        if (preg_match("~^https?://$host(/[^\s?#]*)?$~iD", $url) !== 1) {
            throw new InvalidCallException(
                "\"$url\" is no address of a router; give one such as http://127.0.0.1:8401"
            );
        }
        if ($key === '' || preg_match('/[\x00-\x1f\x7f]/', $key) === 1) {
            throw new InvalidCallException(
                'the key is empty or has a line end in it; give one of the router\'s ingest.keys'
            );
        }
        $options = self::options($options);
        $this->url = $url;
        $this->timeoutMs = $options['timeoutMs'];
        $this->connection = new Connection(
            $url,
            $key,
            $options['connectTimeoutMs'],
            $options['keepAliveMs'],
            $options['caFile']
        );
    }

    /**
     * Returns what stands for bytes in a payload or in arguments; the browser
     * gets them as a binary value.
     */
    public static function binary(string $bytes): array
    {
        return ['$base64' => base64_encode($bytes)];
    }

    // -- events ---------------------------------------------------------------

    /**
     * Posts one event. Returns the router's answer: `id`, `seq`, `matched`,
     * `online`, `dup`, and `confirmed` where that was asked for.
     *
     * @param mixed $payload
     * @param array $options
     *     - `namespace` (`/`): where it goes
     *     - `key`: idempotency key; with one the event may be posted again
     *     - `volatile`: dropped for a connection that cannot take it now
     *     - `to`: the target, for keys with `may-target`
     *     - `event`, `args`: another name and other arguments for the page
     *     - `confirm`: how many milliseconds to wait for the users' acks
     */
    public function publish(string $type, $payload = null, array $options = []): array
    {
        $event = ['type' => $type, 'payload' => $payload] + $options;
        $answer = $this->ask(
            'POST',
            '/api/v1/events',
            self::encode(self::event($event, 'the event'), 'the event'),
            isset($options['key']),
            $this->timeoutMs + self::deadline($event)
        );
        return $this->accepted($answer);
    }

    /**
     * Posts one event to users and waits until each of them has acknowledged
     * it, or for `$deadlineMs` (100 to 60,000). Returns for each user
     * `delivered`, `timed_out` or `offline`.
     *
     * @param mixed $payload
     * @param array $options as for `publish`
     * @return array<int|string, string>
     */
    public function publishConfirmed(
        string $type,
        $payload,
        int $deadlineMs,
        array $options = []
    ): array {
        $answer = $this->publish($type, $payload, ['confirm' => $deadlineMs] + $options);
        if (!is_array($answer['confirmed'] ?? null)) {
            throw new SignalboxException(
                'the router had this event before, under the same idempotency key, and does '
                . 'not tell a second time who acknowledged it'
            );
        }
        return $answer['confirmed'];
    }

    /**
     * Posts up to 1,000 events at once. Returns an answer for each, under the
     * keys of `$events`. An event that the router refuses does not stop the
     * others and does not throw: its answer has `ok` false; `refusals` finds
     * those.
     *
     * @param array<array> $events each with `type`, `payload` and the options of
     *     `publish`
     * @return array<array>
     */
    public function publishBatch(array $events): array
    {
        self::few($events, 'events in one batch');
        if ($events === []) {
            return [];
        }
        $texts = [];
        $keyed = true;
        $deadline = 0;
        foreach ($events as $at => $event) {
            if (!is_array($event)) {
                throw new InvalidCallException("event $at of the batch is no array");
            }
            $texts[] = self::encode(
                self::event($event, "event $at of the batch"),
                "event $at of the batch"
            );
            $keyed = $keyed && isset($event['key']);
            $deadline = max($deadline, self::deadline($event));
        }
        $answers = $this->ask(
            'POST',
            '/api/v1/events',
            '[' . implode(',', $texts) . ']',
            $keyed,
            $this->timeoutMs + $deadline
        );
        if (count($answers) !== count($events) || !isset($answers[0]['ok'])) {
            throw $this->stranger('another answer than one to a batch', true);
        }
        return array_combine(array_keys($events), $answers);
    }

    /**
     * Returns those answers of a batch that refuse an event, as exceptions that
     * were not thrown, under the same keys.
     *
     * @param array<array> $answers
     * @return array<RefusedException>
     */
    public static function refusals(array $answers): array
    {
        $refusals = [];
        foreach ($answers as $at => $answer) {
            if (($answer['ok'] ?? false) !== true) {
                $refusals[$at] = RefusedException::fromAnswer(200, $answer);
            }
        }
        return $refusals;
    }

    // -- users and connections ------------------------------------------------

    /**
     * Returns whether a user has a connection.
     *
     * @param int|string $user
     */
    public function isOnline($user): bool
    {
        return $this->online([$user])[$user] ?? false;
    }

    /**
     * Returns for each of up to 1,000 users whether they have a connection.
     *
     * @param array<int|string> $users
     * @return array<int|string, bool>
     */
    public function online(array $users): array
    {
        self::few($users, 'users in one question');
        if ($users === []) {
            return [];
        }
        $ids = array_map([self::class, 'id'], array_values($users));
        $answer = $this->command('/api/v1/users/online', ['ids' => $ids]);
        if (!is_array($answer['online'] ?? null)) {
            throw $this->stranger('no answer to who is online', false);
        }
        return $answer['online'];
    }

    /**
     * Returns the record of a user: `online`, `version`, `connections`, and
     * `info` if the site gave some.
     *
     * @param int|string $user
     */
    public function presence($user): array
    {
        $path = '/api/v1/users/' . rawurlencode(self::id($user));
        $answer = $this->ask('GET', $path, null, true, $this->timeoutMs);
        if (!isset($answer['online'])) {
            throw $this->stranger('no record of a user', false);
        }
        return $answer;
    }

    /**
     * Ends all connections of a user. Returns how many there were.
     *
     * @param int|string $user
     */
    public function disconnectUser($user): int
    {
        return $this->act('users', $user, 'disconnect', new \stdClass());
    }

    /** Ends one connection; refused (404) if it is gone already. */
    public function disconnectConnection(string $id): int
    {
        return $this->act('connections', $id, 'disconnect', new \stdClass());
    }

    /**
     * Lets all present connections of a user join rooms. Returns how many they
     * are.
     *
     * @param int|string $user
     * @param array<int|string> $rooms
     */
    public function joinRooms($user, array $rooms, string $namespace = '/'): int
    {
        return $this->rooms('users', $user, 'join', $rooms, $namespace);
    }

    /**
     * Lets all connections of a user leave rooms. Returns how many they are.
     *
     * @param int|string $user
     * @param array<int|string> $rooms
     */
    public function leaveRooms($user, array $rooms, string $namespace = '/'): int
    {
        return $this->rooms('users', $user, 'leave', $rooms, $namespace);
    }

    /**
     * Lets one connection join rooms; refused (404) if it is gone.
     *
     * @param array<int|string> $rooms
     */
    public function joinRoomsByConnection(string $id, array $rooms, string $namespace = '/'): int
    {
        return $this->rooms('connections', $id, 'join', $rooms, $namespace);
    }

    /**
     * Lets one connection leave rooms; refused (404) if it is gone.
     *
     * @param array<int|string> $rooms
     */
    public function leaveRoomsByConnection(string $id, array $rooms, string $namespace = '/'): int
    {
        return $this->rooms('connections', $id, 'leave', $rooms, $namespace);
    }

    /** Closes the connection to the router. A later call opens a new one. */
    public function close(): void
    {
        $this->connection->close();
    }

    // -- what is sent ---------------------------------------------------------

    private static function options(array $given): array
    {
        $unknown = array_diff_key($given, self::OPTIONS);
        if ($unknown !== []) {
            throw new InvalidCallException('unknown option ' . key($unknown)
                . '; known are ' . implode(', ', array_keys(self::OPTIONS)));
        }
        $options = $given + self::OPTIONS;
        $times = ['connectTimeoutMs' => 1, 'timeoutMs' => 1, 'keepAliveMs' => 0];
        foreach ($times as $name => $least) {
            if (!is_int($options[$name]) || $options[$name] < $least) {
                throw new InvalidCallException(
                    "$name is a whole number of milliseconds, $least or more"
                );
            }
        }
        if (!is_string($options['caFile'])
            || ($options['caFile'] !== '' && !is_readable($options['caFile']))) {
            throw new InvalidCallException('caFile is no file that can be read');
        }
        return $options;
    }

    /** Returns an event as the router wants it. */
    private static function event(array $given, string $what): array
    {
        if (!is_string($given['type'] ?? null)) {
            throw new InvalidCallException("$what has no type; it is a string");
        }
        $event = ['type' => $given['type'], 'payload' => $given['payload'] ?? null];
        unset($given['type'], $given['payload']);
        foreach ($given as $name => $value) {
            if (!in_array($name, self::EVENT_OPTIONS, true)) {
                throw new InvalidCallException("$what has an unknown option $name; known are "
                    . implode(', ', self::EVENT_OPTIONS));
            }
            if ($value !== null) {
                $event[$name] = $value;
            }
        }
        if (isset($event['confirm'])) {
            if (!is_int($event['confirm'])) {
                throw new InvalidCallException("$what has a confirm that is no integer; give "
                    . 'the milliseconds to wait for acks, 100 to 60000');
            }
            $event['confirm'] = ['deadline_ms' => $event['confirm']];
        }
        return $event;
    }

    /** Returns how long the router may wait for the acks of an event. */
    private static function deadline(array $event): int
    {
        return max(0, $event['confirm'] ?? 0);
    }

    private static function few(array $all, string $what): void
    {
        if (count($all) > self::MAX_BATCH) {
            throw new InvalidCallException(
                count($all) . " are too many $what; at most " . self::MAX_BATCH
            );
        }
    }

    /** @param int|string $id */
    private static function id($id): string
    {
        if ((!is_int($id) && !is_string($id)) || $id === '') {
            throw new InvalidCallException('an id is an integer or a string that is not empty');
        }
        return (string) $id;
    }

    /** @param mixed $value */
    private static function encode($value, string $what): string
    {
        try {
            return json_encode($value, self::JSON);
        } catch (\JsonException $e) {
            $advice = $e->getCode() === JSON_ERROR_UTF8
                ? '; text is UTF-8, other bytes go through Client::binary' : '';
            throw new InvalidCallException("$what cannot be written as JSON: "
                . self::culprit($value) . ": {$e->getMessage()}$advice", 0, $e);
        }
    }

    /**
     * Returns where the innermost part stands that cannot be encoded.
     *
     * @param mixed $value
     */
    private static function culprit($value, string $at = '', int $depth = 0): string
    {
        // An array may contain itself.
        if (is_array($value) && $depth < 100) {
            foreach ($value as $key => $part) {
                if (json_encode($part) === false) {
                    return self::culprit($part, "$at/$key", $depth + 1);
                }
            }
        }
        return $at === '' ? '/' : $at;
    }

    // -- calls and their answers ----------------------------------------------

    /** @param int|string $id */
    private function rooms(string $kind, $id, string $verb, array $rooms, string $namespace): int
    {
        $names = array_map([self::class, 'id'], array_values($rooms));
        return $this->act($kind, $id, 'rooms', ['namespace' => $namespace, $verb => $names]);
    }

    /**
     * @param int|string $id
     * @param mixed $body
     */
    private function act(string $kind, $id, string $verb, $body): int
    {
        $path = "/api/v1/$kind/" . rawurlencode(self::id($id)) . "/$verb";
        return (int) ($this->command($path, $body)['connections'] ?? 0);
    }

    /** @param mixed $body */
    private function command(string $path, $body): array
    {
        $text = self::encode($body, 'the call');
        return $this->accepted($this->ask('POST', $path, $text, true, $this->timeoutMs));
    }

    private function accepted(array $answer): array
    {
        if (($answer['ok'] ?? null) !== true) {
            throw $this->stranger('an answer without "ok"', true);
        }
        return $answer;
    }

    /** Makes a call; returns what a willing router answered. */
    private function ask(
        string $method,
        string $path,
        ?string $body,
        bool $repeatable,
        int $timeoutMs
    ): array {
        $response = $this->connection->call($method, $path, $body, $timeoutMs, $repeatable);
        $status = $response['status'];
        $answer = json_decode($response['body'], true, 512, JSON_BIGINT_AS_STRING);
        if (is_array($answer['error'] ?? null)) {
            throw RefusedException::fromAnswer($status, $answer);
        }
        if ($status === 413) {
            throw new RefusedException($status, 'too_large', strlen((string) $body)
                . ' bytes are more than ingest.max-body, or a proxy, lets pass', '');
        }
        if ($status !== 200 || !is_array($answer)) {
            $type = $response['type'] === '' ? 'without content' : $response['type'];
            // A proxy answers 502 or 504 for a router that may have done it.
            $refused = $status >= 400 && $status < 500;
            throw $this->stranger("$status $type", $body !== null && !$refused);
        }
        return $answer;
    }

    private function stranger(string $what, bool $mayHaveArrived): TransportException
    {
        return new TransportException("$this->url answered $what, which is no answer of a "
            . 'router; is this its listen.ingest?', $mayHaveArrived);
    }
}
