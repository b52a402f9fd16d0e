//! What `--help` says of `feedwire connector` beside its options.

pub(super) const ALL: &str = "\
A connector pushes events to a URL: a request for each, or for several, signed as Standard Webhooks has it, in order per \
subject, again and again until the receiver says 2xx. The server keeps the place; what cannot be delivered in the end is put \
aside as a dead letter, and can be pushed again.

All of it takes a credential (--token-file, FEEDWIRE_TOKEN) with the right `connectors` for whatever is pushed.

Examples:
  feedwire connector create billing https://billing.example.com/events --feed orders
  feedwire connector test billing
  feedwire connector show billing
  feedwire connector deliveries billing
  feedwire listen                                            a receiver on this machine, to try it

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const CREATE: &str = "\
What is not given has its default: everything, from the start, one event a request as JSON, 8 requests at once. The secret that \
requests are signed by is made, and shown this once, unless one is given (--secret-file, FEEDWIRE_WEBHOOK_SECRET): `whsec_` and \
the base64 of 24 to 64 bytes. The name, the start and the stream are for good.

A server pushes to addresses of the public internet by https; to others where whoever runs it lets it (serve --push-allow-network, \
--push-allow-http).

Examples:
  feedwire connector create billing https://billing.example.com/events --feed orders
  feedwire connector create alarms https://example.com/hook --type alarm.raised --start now --headers-file headers
  feedwire connector create bulk https://example.com/in --stream nightly --format batch --batch-size 500 --linger 5s

Exit codes: 0 made, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const LIST: &str = "\
Examples:
  feedwire connector list
  feedwire connector list --json | jq -r '.connectors[].name'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const SHOW: &str = "\
Examples:
  feedwire connector show billing
  feedwire connector show billing --json | jq .health

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const CHANGE: &str = "\
What is not given stays as it is, and so does the place. Of what its own stream is of, all is replaced: a list that is not \
given is everything. Headers that are given replace those of the same name or are added.

Examples:
  feedwire connector change billing --url https://new.example.com/events
  feedwire connector change billing --headers-file headers --remove-header x-old
  feedwire connector change billing --everything

Exit codes: 0 changed, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const PAUSE: &str = "\
What is on its way is ended; then nothing is sent until it is resumed. Meanwhile its stream can be joined, and goes on where the \
connector was.

Examples:
  feedwire connector pause billing

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const RESUME: &str = "\
Examples:
  feedwire connector resume billing

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const DELETE: &str = "\
Deletes the connector for good, and its stream with its dead letters where that is its own; the events stay.

On a terminal the name has to be typed once more, unless --yes is given; elsewhere it takes --yes.

Examples:
  feedwire connector delete billing
  feedwire connector delete billing --yes

Exit codes: 0 deleted, 1 failed or not confirmed (stderr says why), 2 wrong usage.";

pub(super) const SECRET: &str = "\
Both secrets sign for as long as --overlap says, so that receivers can be given the new one meanwhile. It is shown this once; \
with --write-secret it goes into a new file instead.

Examples:
  feedwire connector secret billing --write-secret billing.secret
  feedwire connector secret billing --secret-file own.secret --overlap 7d

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const TEST: &str = "\
The request is signed like any other, and is made whether the connector waits or not. Printed is what came of it.

Examples:
  feedwire connector test billing

Exit codes: 0 delivered, 1 not delivered, or failed (stderr says why), 2 wrong usage.";

pub(super) const DELIVERIES: &str = "\
The newest first. They are kept in memory: after a start of the server there are none.

Examples:
  feedwire connector deliveries billing
  feedwire connector deliveries billing --json | jq '.deliveries[] | select(.delivered | not)'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const LETTERS: &str = "\
An event that was tried for as long as the connector says is put aside; the later ones of its subject go on. It stays until it \
is pushed again or dropped. Printed are position, how often it was sent, when it was put aside and why, and below it the event.

Examples:
  feedwire connector letters billing
  feedwire connector letters billing --json | jq '.dead_letters[].event'

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const REDRIVE: &str = "\
They are pushed as if for the first time, and are gone once they are delivered.

Examples:
  feedwire connector redrive billing 4711 4712
  feedwire connector redrive billing --all

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const DROP: &str = "\
They are not pushed any more. Their events stay in the feeds.

Examples:
  feedwire connector drop billing 4711 4712
  feedwire connector drop billing --all

Exit codes: 0 done, 1 failed (stderr says why), 2 wrong usage.";

pub(super) const REPLAY: &str = "\
Makes a connector that pushes once more what NAME is of, from one place to another, signed by the same secret and with the same \
ids, and is done then. NAME goes on meanwhile.

A place is `start`, `now`, a time (RFC 3339), a span ago such as 5hours, or a position.

Examples:
  feedwire connector replay billing --from 2hours
  feedwire connector replay billing --from 2013-01-01T00:00:00Z --until 2013-01-02T00:00:00Z --as jan-1

Exit codes: 0 made, 1 failed (stderr says why), 2 wrong usage.";
