package history

var trustedCases = []verdict{
	{"believes until the end", "", 0, hold("a", 1, 0, 10*ms, 10*ms+ttl-1)},
	{"believes at the end", Trusted, 0, hold("a", 1, 0, 10*ms, 10*ms+ttl)},
	{"believes until the end of a renewal", "", 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 500*ms, 500*ms+ttl), holds("a", 1, 500*ms+ttl-1))},
	{"believes at the end of a renewal", Trusted, 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 500*ms, 500*ms+ttl), holds("a", 1, 500*ms+ttl))},
	{"believes until the end of the longest of renewals", "", 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 500*ms, 500*ms+ttl), trust("a", 1, 510*ms, 300*ms+ttl), holds("a", 1, 500*ms+ttl-1))},
	{"believes in a renewal to come", Trusted, 0, tell(
		open("a", 1, 0, 10*ms), holds("a", 1, 10*ms+ttl), trust("a", 1, 10*ms+ttl+1, 3*ttl))},
	{"believes in the renewal that has just come", "", 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 10*ms+ttl, 3*ttl), holds("a", 1, 10*ms+ttl))},
	{"believes in a renewal of the lease that was passed on", "", 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), trust("a", 1, 500*ms, 500*ms+ttl), passed("a/1", 1, 15*ms, 20*ms, 500*ms+ttl-1))},
	{"believes in a renewal of another lease", Trusted, 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 2, 500*ms, 500*ms+ttl), holds("a", 1, 10*ms+ttl))},
	{"believes without a grant", Trusted, 0, passed("a", 1, 0, 10*ms, 20*ms)},
	{"is told just in time", "", 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 10*ms+ttl+slack), fault("", 500*ms, ttl))},
	{"is told too late", Trusted, 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 10*ms+ttl+slack+1), fault("", 500*ms, ttl))},
	{"is told too late, because it was stopped", "", 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 10*ms+3*ttl), stopped("a", 500*ms, 10*ms+ttl-slack-500*ms))},
	{"is told too late, though it was only cut off", Trusted, 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 10*ms+3*ttl), fault("a", 500*ms, 10*ms+ttl-slack-500*ms))},
	{"is told too late, long after it was stopped", Trusted, 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 10*ms+3*ttl), stopped("a", 500*ms, 10*ms+ttl-slack-500*ms-1))},
	{"is told by an Unlock", "", 0, tell(
		hold("a", 1, 0, 10*ms, 500*ms), told("a", 1, 10*ms+ttl+slack+1), fault("", 500*ms, ttl))},
}

// Of those below, "a" dies; what it leaves behind is what others wait for.
var idleCases = []verdict{
	{"it goes on after a ttl", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+ttl+slack, 50*ms+ttl+slack+1))},
	{"it goes on later", Idle, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+ttl+slack+1, 50*ms+ttl+slack+2))},
	{"it never goes on", Idle, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), ask("b", 20*ms), giveUp("b", 50*ms+ttl+slack+1))},
	{"nobody waited for so long", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), ask("b", 20*ms), giveUp("b", 800*ms), hold("c", 2, 810*ms, 800*ms+ttl, 2*ttl))},
	{"somebody or other waited for so long", Idle, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), ask("b", 20*ms), giveUp("b", 800*ms), hold("c", 2, 800*ms, 800*ms+ttl, 2*ttl))},
	{"who waited does not live", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), ask("b", 20*ms), hold("a", 2, 6*ttl, 6*ttl+ms, 6*ttl+2*ms))},
	{"who waited was stopped", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+6*ttl, 50*ms+6*ttl+1), fault("b", 60*ms, 5*ttl))},
	{"a holder died", "", 0, tell(
		open("a", 1, 0, 10*ms), fault("a", 50*ms, 0), hold("b", 2, 5*ms, 10*ms+2*ttl+slack, 10*ms+2*ttl+slack+1))},
	{"a holder died long ago", Idle, 0, tell(
		open("a", 1, 0, 10*ms), fault("a", 50*ms, 0), hold("b", 2, 5*ms, 10*ms+2*ttl+slack+1, 10*ms+2*ttl+slack+2))},
	{"a holder died after it had renewed", "", 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 501*ms, 500*ms+ttl), fault("a", 600*ms, 0), hold("b", 2, 20*ms, 500*ms+2*ttl+slack, 500*ms+2*ttl+slack+1))},
	{"a holder died long ago, though it had renewed", Idle, 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 501*ms, 500*ms+ttl), fault("a", 600*ms, 0), hold("b", 2, 20*ms, 500*ms+2*ttl+slack+1, 500*ms+2*ttl+slack+2))},
	{"somebody died who had nothing to do with it", Idle, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+ttl+slack+1, 50*ms+ttl+slack+2),
		hold("c", 1, 0, 10*ms, 20*ms).of("l"), fault("c", 60*ms, 0))},
	{"somebody died who had let go", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+2*ttl+slack, 50*ms+2*ttl+slack+1), fault("a", 50*ms+ttl, 0))},
	{"somebody died who had let go a ttl ago", Idle, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+2*ttl+slack, 50*ms+2*ttl+slack+1), fault("a", 50*ms+ttl+1, 0))},
	{"the store was away", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+6*ttl+slack, 50*ms+6*ttl+slack+1), fault("", 60*ms, 4*ttl))},
	{"the store was away, but not for so long", Idle, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 20*ms, 50*ms+6*ttl+slack, 50*ms+6*ttl+slack+1), fault("", 60*ms, 4*ttl-1))},
	{"a waiter was cut off and may have asked on", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), ask("c", 30*ms), fault("c", 60*ms, 3*ttl), giveUp("c", 4*ttl),
		hold("b", 2, 20*ms, 50*ms+5*ttl+slack, 50*ms+5*ttl+slack+1))},
	{"a waiter was cut off, but not for so long", Idle, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), ask("c", 30*ms), fault("c", 60*ms, 3*ttl-1), giveUp("c", 4*ttl),
		hold("b", 2, 20*ms, 50*ms+5*ttl+slack, 50*ms+5*ttl+slack+1))},
}

var foundedCases = []verdict{
	{"a loss out of the blue", Founded, 0, tell(open("a", 1, 0, 10*ms), told("a", 1, 50*ms))},
	{"a loss because of what was before the lease", Founded, 0, tell(
		open("a", 1, slack, 10*ms+slack), told("a", 1, 500*ms), fault("", 0, 10*ms-1))},
	{"a loss because of what was just before the lease", "", 0, tell(
		open("a", 1, slack, 10*ms+slack), told("a", 1, 500*ms), fault("", 0, 10*ms))},
	{"a loss because of what was before the renewal", Founded, 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 501*ms, 500*ms+ttl), told("a", 1, 700*ms), forgot("", 0, 500*ms-slack-1))},
	{"a loss because of what was just before the renewal", "", 0, tell(
		open("a", 1, 0, 10*ms), trust("a", 1, 501*ms, 500*ms+ttl), told("a", 1, 700*ms), forgot("", 0, 500*ms-slack))},
	{"a loss because of another's fault", Founded, 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 500*ms), fault("b", 20*ms, 400*ms))},
	{"a loss because of its own fault", "", 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 500*ms), fault("a", 500*ms, 400*ms))},
	{"a loss because another key was forgotten", Founded, 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 500*ms), forgot("l", 20*ms, 0))},
	{"a loss because the key was forgotten", "", 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 500*ms), forgot("k", 20*ms, 0))},
	{"a loss that an Unlock tells", "", 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), told("a", 1, 60*ms), forgot("k", 20*ms, 0))},
	{"a loss that an Unlock makes up", Founded, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), told("a", 1, 60*ms))},
}

var recordedCases = []verdict{
	{"enters without asking", Recorded, 0, tell(trust("a", 1, 10*ms, ttl), story{say(10*ms, Entered, "a", 1)})},
	{"gives up without asking", Recorded, 0, giveUp("a", 10*ms)},
	{"holds without entering", Recorded, 0, holds("a", 1, 10*ms)},
	{"leaves without entering", Recorded, 0, story{say(10*ms, Left, "a", 1)}},
	{"leaves twice", Recorded, 0, tell(hold("a", 1, 0, 10*ms, 20*ms), story{say(30*ms, Left, "a", 1)})},
	{"is told without entering", Recorded, 0, told("a", 1, 10*ms)},
	{"is told of another lease", Recorded, 0, tell(hold("a", 1, 0, 10*ms, 20*ms), told("a", 2, 30*ms))},
	{"is told twice", "", 0, tell(open("a", 1, 0, 10*ms), told("a", 1, 20*ms), told("a", 1, 30*ms), forgot("", 15*ms, 0))},
	{"believes after it was told", Recorded, 0, tell(
		open("a", 1, 0, 10*ms), told("a", 1, 20*ms), holds("a", 1, 30*ms), forgot("", 15*ms, 0))},
	{"enters before it has left", Recorded, 0, tell(
		open("a", 1, 0, 10*ms), hold("a", 2, 15*ms, 20*ms, 30*ms))},
	{"enters when it has left", "", 0, tell(
		hold("a", 1, 0, 10*ms, 15*ms), hold("a", 2, 15*ms, 20*ms, 30*ms))},
	{"says what means nothing", Recorded, 0, story{say(10*ms, "hums", "a", 1)}},
}
