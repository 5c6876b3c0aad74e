#!/usr/bin/env bash
# Wrong use of the tool, what cannot be reached, and the exit statuses of both.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"

tool
status_is 2 'without a command it is wrong use'
like "$errors" '^  enqueue KIND'                        'and the commands are listed'
tool help
status_is 0 'help is none'
tool --version
like "$out" '^pgcrew [0-9]+\.[0-9]+'                    'it has a version'

tool enqeue mail
status_is 2 'an unknown command'
like "$errors" "did you mean 'enqueue'"                 'the nearest one is named'
tool batch wacth x
like "$errors" "did you mean 'batch watch'"             'so is a second word'
tool job list --staus failed
status_is 2 'an unknown option'
like "$errors" 'did you mean --status'                  'the nearest one is named'
like "$errors" 'usage: pgcrew job list'                 'with the usage of the command'
tool help enqeue
status_is 2 'help about nothing known'

tool job show abc
status_is 2 'an id that is no number'
tool batch show 12
status_is 2 'a batch that is no UUID'
tool scale many
status_is 2 'workers that are no number'
tool job list --status sleeping
status_is 2 'a status that does not exist'
tool enqueue mail --at tomorrow
status_is 2 'a time that is none'
tool enqueue mail --in 5
status_is 2 'a duration without a unit'
tool enqueue mail --in 5min --at 18:00
status_is 2 'two times'
tool enqueue mail '{}' --jsonl x
status_is 2 'two sources'
tool enqueue mail --after 12
status_is 2 'an option that does not exist'

tool --config /nonexistent/pgcrew.yaml job list
status_is 2 'a configuration that is not there'
like "$errors" '/nonexistent/pgcrew.yaml'               'is named'
tool --database bogus job list
status_is 2 'a database URL that is none'
tool --database sb_secret_abcdef job list
status_is 2 'an API key as database URL'
like "$errors" 'API key'                                'is told apart'
not_ok 'and not repeated' grep -q abcdef <<<"$errors"

tool --database 'host=/nonexistent' job list
status_is 69 'a database that cannot be reached'
for command in ping stats workers 'scale 2' reload drain stop; do
    # shellcheck disable=SC2086  # two words
    tool --database 'host=/nonexistent' $command
    status_is 69 "$command without daemon and database"
done
tool --database 'host=/nonexistent' --json job list
is "$(field '.error.message | length > 0')" true        'with --json the error is a document'

"$build/pgcrew" help >/dev/full 2>/dev/null
is $? 1                                                 'a full disk is no success'
done_testing
