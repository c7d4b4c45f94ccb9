# fish completion for rowcast(1)

set -l commands init publish tail export import prune stats check help
set -l none "not __fish_seen_subcommand_from $commands"

complete -c rowcast -f
complete -c rowcast -n $none -a init -d 'create a log'
complete -c rowcast -n $none -a publish -d 'append one event'
complete -c rowcast -n $none -a tail -d 'print events as they arrive'
complete -c rowcast -n $none -a export -d 'write events as lines of JSON'
complete -c rowcast -n $none -a import -d 'append events from lines of JSON'
complete -c rowcast -n $none -a prune -d 'remove old events'
complete -c rowcast -n $none -a stats -d 'print the size of the log'
complete -c rowcast -n $none -a check -d 'examine the log'
complete -c rowcast -n $none -a help -d 'list the commands'
complete -c rowcast -n $none -l version -d 'print the version'
complete -c rowcast -n '__fish_seen_subcommand_from help' -a "$commands"

complete -c rowcast -l db -r -F -d 'the log'
complete -c rowcast -l busy-ms -x -d 'wait this long for other writers'
complete -c rowcast -l json -d 'print JSON, for programs'
complete -c rowcast -l help -d 'print the options'

set -l publish '__fish_seen_subcommand_from publish'
complete -c rowcast -n $publish -s k -l key -x -d 'idempotency key'
complete -c rowcast -n $publish -s r -l retry -x -d 'reconnection time, ms'
complete -c rowcast -n $publish -l max-bytes -x -d 'refuse longer standard input'

set -l topic '__fish_seen_subcommand_from publish tail export prune'
complete -c rowcast -n $topic -s t -l topic -x -d 'topic'
set -l event '__fish_seen_subcommand_from publish tail export'
complete -c rowcast -n $event -s e -l event -x -d 'event name'
set -l since '__fish_seen_subcommand_from tail export'
complete -c rowcast -n $since -l since -x -a 'earliest last:' \
    -d 'where to begin'

set -l tail '__fish_seen_subcommand_from tail'
complete -c rowcast -n $tail -s n -l count -x -d 'stop after so many events'
complete -c rowcast -n $tail -l no-follow -d 'stop at the end of the log'
complete -c rowcast -n $tail -l sse -d 'print text/event-stream'

complete -c rowcast -n '__fish_seen_subcommand_from export' -l upto -x \
    -d 'end with this id'
complete -c rowcast -n '__fish_seen_subcommand_from export' -l salvage \
    -d 'step over what cannot be read of a damaged log'
complete -c rowcast -n '__fish_seen_subcommand_from import' \
    -l max-line-bytes -x -d 'refuse longer lines'
complete -c rowcast -n '__fish_seen_subcommand_from init' -l upgrade \
    -d 'give an existing log the parts of this release'
complete -c rowcast -n '__fish_seen_subcommand_from check' -l expect -x \
    -d 'check that triggers publish the changes of this table'
complete -c rowcast -n '__fish_seen_subcommand_from import init' -F

set -l prune '__fish_seen_subcommand_from prune'
complete -c rowcast -n $prune -l keep-rows -x -d 'keep the newest events'
complete -c rowcast -n $prune -l older-than -x -d 'remove older events'
complete -c rowcast -n $prune -l rules -d 'also apply the rules of the log'
complete -c rowcast -n '__fish_seen_subcommand_from check' -l full \
    -d 'also compare indexes with tables'
