<?php

declare(strict_types=1);

// Calls what its standard input says. The first line is {"url","key","options"}
// for a client, or {"yii": 1 or 2, "config": {...}} for a component; each
// further one is ["method", argument...]. Each is answered by one line,
// {"value"} or {"error"}. An argument {"$hex": "..."} stands for these bytes,
// {"$binary": "..."} for Client::binary of them, {"$object": true} for {}.

require __DIR__ . '/../../../apps/php/signalbox.php';

/** Returns an argument with the stand-ins replaced. */
function argument($value)
{
    if (!is_array($value)) {
        return $value;
    }
    if (isset($value['$hex'])) {
        return hex2bin($value['$hex']);
    }
    if (isset($value['$binary'])) {
        return Signalbox\Client::binary(hex2bin($value['$binary']));
    }
    return isset($value['$object']) ? new stdClass() : array_map('argument', $value);
}

/** Makes the object whose methods are called. */
function subject(array $how)
{
    if (!isset($how['yii'])) {
        return new Signalbox\Client($how['url'], $how['key'], $how['options'] ?? []);
    }
    require __DIR__ . "/yii{$how['yii']}.php";
    return Yii::start(['components' => ['push' => $how['config']]])->push;
}

function describe(Throwable $e): array
{
    $known = ['class' => get_class($e), 'message' => $e->getMessage()];
    foreach (['getStatus', 'getErrorCode', 'getReason', 'getPointer', 'mayHaveArrived'] as $ask) {
        if (method_exists($e, $ask)) {
            $known[lcfirst(str_replace('get', '', $ask))] = $e->$ask();
        }
    }
    return $known;
}

$subject = null;
while (($line = fgets(STDIN)) !== false) {
    $words = argument(json_decode($line, true, 512, JSON_THROW_ON_ERROR));
    try {
        if ($subject === null) {
            $subject = subject($words);
            $answer = ['value' => get_class($subject)];
        } else {
            $value = call_user_func_array([$subject, array_shift($words)], $words);
            if ($value instanceof Signalbox\Client) {
                $subject = $value;
                $value = get_class($value);
            }
            $answer = ['value' => $value];
        }
    } catch (Throwable $e) {
        $answer = ['error' => describe($e)];
    }
    echo json_encode($answer, JSON_THROW_ON_ERROR), "\n";
}
