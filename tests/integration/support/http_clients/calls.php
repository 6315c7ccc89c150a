<?php
// Calls the site once for each name and prints what came, a JSON line each:
// calls.php curl|streams PORT NAME...

function by_curl(int $port, string $name): array
{
    $call = curl_init("http://127.0.0.1:$port/whoami");
    curl_setopt_array($call, [
        CURLOPT_COOKIE => "session=$name",
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT_MS => 1000,
        CURLOPT_ENCODING => '',
    ]);
    $body = curl_exec($call);
    return $body === false ? ['error' => curl_error($call)]
        : ['status' => curl_getinfo($call, CURLINFO_RESPONSE_CODE), 'body' => base64_encode($body)];
}

function by_streams(int $port, string $name): array
{
    $body = @file_get_contents("http://127.0.0.1:$port/whoami", false, stream_context_create(['http' => [
        'header' => "Cookie: session=$name\r\n",
        'ignore_errors' => true,
        'follow_location' => 0,
        'protocol_version' => 1.1,
        'timeout' => 1,
    ]]));
    $lines = array_values(preg_grep('#^HTTP/#', $http_response_header ?? []));
    if ($body === false || !$lines)
        return ['error' => error_get_last()['message'] ?? 'no answer'];
    preg_match('#^HTTP/\S+ +(\d+)#', end($lines), $found);
    return ['status' => (int)($found[1] ?? 0), 'body' => base64_encode($body)];
}

$call = ['curl' => 'by_curl', 'streams' => 'by_streams'][$argv[1]];
foreach (array_slice($argv, 3) as $name)
    echo json_encode(['name' => $name] + $call((int)$argv[2], $name)), "\n";
