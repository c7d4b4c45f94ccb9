#!/usr/bin/env perl
# publish.pl: publish events; for SQL it needs DBD::SQLite (Debian:
# libdbd-sqlite3-perl); the other modules come with Perl.
#
#     publish.pl http TOPIC DATA...    through the web server, with the token
#     publish.pl sql  TOPIC DATA...    into the log, on the same machine
#
# Prints the ids.  Several DATA are stored together or not at all.
use strict;
use warnings;

use DBI;
use Encode qw(decode);
use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);

sub publish_http {
    my $url = $ENV{ROWCAST_PUBLISH_URL} // 'http://127.0.0.1:8080/publish';
    # After a timeout, the events may or may not be stored.  Give an event a
    # "key", and you can safely send it again.
    my $answer = HTTP::Tiny->new(timeout => 10)->post($url, {
        headers => {
            'Authorization' => "Bearer $ENV{ROWCAST_PUBLISH_TOKEN}",
            'Content-Type'  => 'application/json',
        },
        content => encode_json(\@_),
    });
    die "$answer->{content}\n" unless $answer->{success}; # says what to do
    return @{ decode_json($answer->{content})->{ids} };
}

sub publish_sql {
    my $file = $ENV{ROWCAST_DB} // 'build/run/events.db';
    my $db = DBI->connect("dbi:SQLite:dbname=$file", '', '',
        { RaiseError => 1, PrintError => 0, sqlite_unicode => 1 });
    $db->sqlite_busy_timeout(5000); # ms to wait for other writers
    my @ids;
    $db->begin_work; # with DBD::SQLite this is BEGIN IMMEDIATE
    eval {
        # Put changes of your own tables here, so that both are stored or
        # neither.
        for my $event (@_) {
            $db->do('INSERT INTO events(topic, data) VALUES(?, ?)', undef,
                @$event{qw(topic data)});
            push @ids, $db->sqlite_last_insert_rowid;
        }
        $db->commit;
    } or do {
        my $why = $@;
        $db->rollback;
        die $why;
    };
    return @ids;
}

my ($how, $topic, @data) = map { decode('UTF-8', $_) } @ARGV;
my $publish = { http => \&publish_http, sql => \&publish_sql }->{$how // ''};
die "usage: publish.pl http|sql TOPIC DATA...\n" unless $publish && @data;
print "$_\n" for $publish->(map { { topic => $topic, data => $_ } } @data);
