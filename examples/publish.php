#!/usr/bin/env php
<?php
// publish.php: publish events; needs PHP 8, and pdo_sqlite for SQL.
//
//     publish.php http TOPIC DATA...    through the web server, with the token
//     publish.php sql  TOPIC DATA...    into the log, on the same machine
//
// Prints the ids.  Several DATA are stored together or not at all.
declare(strict_types=1);

function publish_http(array $events): array
{
    $url = getenv('ROWCAST_PUBLISH_URL') ?: 'http://127.0.0.1:8080/publish';
    // After a timeout, the events may or may not be stored.  Give an event a
    // "key", and you can safely send it again.
    $stream = fopen($url, 'r', false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => [
            'Authorization: Bearer ' . getenv('ROWCAST_PUBLISH_TOKEN'),
            'Content-Type: application/json',
        ],
        'content' => json_encode($events, JSON_THROW_ON_ERROR),
        'timeout' => 10,
        'ignore_errors' => true, // read refusals: they say what to do
    ]])) ?: throw new RuntimeException("cannot reach $url");
    [$head] = stream_get_meta_data($stream)['wrapper_data'];
    $answer = stream_get_contents($stream);
    if (!preg_match('/^HTTP\S+ 20[01]/', $head)) {
        throw new RuntimeException($answer);
    }
    return json_decode($answer, true, 8, JSON_THROW_ON_ERROR)['ids'];
}

function publish_sql(array $events): array
{
    $file = getenv('ROWCAST_DB') ?: 'build/run/events.db';
    $db = new PDO("sqlite:$file", null, null, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_TIMEOUT => 5, // seconds to wait for other writers
    ]);
    // Do not use beginTransaction(): a transaction that reads first and writes
    // later fails instead of waiting for other writers.
    $db->exec('BEGIN IMMEDIATE');
    try {
        // Put changes of your own tables here, so that both are stored or
        // neither.
        $insert = $db->prepare('INSERT INTO events(topic, data) VALUES(?, ?)');
        $ids = [];
        foreach ($events as $event) {
            $insert->execute([$event['topic'], $event['data']]);
            $ids[] = $db->lastInsertId();
        }
        $db->exec('COMMIT');
        return $ids;
    } catch (Throwable $e) {
        $db->exec('ROLLBACK');
        throw $e;
    }
}

[, $how, $topic] = $argv + [1 => '', 2 => ''];
if ($argc < 4 || !in_array($how, ['http', 'sql'], true)) {
    fwrite(STDERR, "usage: publish.php http|sql TOPIC DATA...\n");
    exit(2);
}
try {
    $events = array_map(
        fn ($data) => ['topic' => $topic, 'data' => $data],
        array_slice($argv, 3)
    );
    echo implode("\n", "publish_$how"($events)), "\n";
} catch (RuntimeException $e) { // PDOException is one
    fwrite(STDERR, $e->getMessage() . "\n");
    exit(1);
}
