package history

var exclusionCases = []verdict{
	{"one after the other", "", 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), hold("b", 2, 5*ms, 20*ms, 30*ms))},
	{"two at once for a nanosecond", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms+1), hold("b", 2, 5*ms, 20*ms, 30*ms))},
	{"two keys", "", 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), hold("b", 1, 5*ms, 15*ms, 30*ms).of("l"))},
	{"one instant amid another's hold", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), open("b", 2, 5*ms, 15*ms), fault("b", 16*ms, 0))},
	{"two hands pass it on", "", 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), passed("a/1", 1, 1*ms, 20*ms, 30*ms))},
	{"two hands have one lease", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), passed("a/1", 1, 1*ms, 19*ms, 30*ms), forgot("", 5*ms, 0))},
	{"the store forgot it, and it is noticed in time", "", 1, tell(
		hold("a", 1, 0, 10*ms, 50*ms+notice+slack), hold("b", 2, 5*ms, 60*ms, 600*ms), forgot("k", 40*ms, 10*ms))},
	{"the store forgot it, and it is noticed too late", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms+notice+slack+1), hold("b", 2, 5*ms, 60*ms, 600*ms), forgot("k", 40*ms, 10*ms))},
	{"the store forgot it and is out of reach", "", 1, tell(
		trust("a", 1, 11*ms, 10*ms+ttl+slack+1),
		hold("a", 1, 0, 10*ms, 10*ms+ttl+slack), hold("b", 2, 5*ms, 60*ms, 70*ms), forgot("", 10*ms, 0), fault("a", 90*ms, ttl))},
	{"the store forgot it and is out of reach for too long", Exclusion, 0, tell(
		trust("a", 1, 11*ms, 10*ms+ttl+slack+2),
		hold("a", 1, 0, 10*ms, 10*ms+ttl+slack+1), hold("b", 2, 5*ms, 60*ms, 70*ms), forgot("", 10*ms, 0), fault("a", 90*ms, ttl))},
	{"the store was out of reach just before it forgot", "", 1, tell(
		hold("a", 1, 0, notice, 900*ms+notice), hold("b", 2, 5*ms, notice+60*ms, notice+70*ms), forgot("", notice+1*ms, 0), fault("", 0, 1*ms))},
	{"the store was out of reach long before it forgot", Exclusion, 0, tell(
		hold("a", 1, 0, notice, 900*ms+notice), hold("b", 2, 5*ms, notice+60*ms, notice+70*ms), forgot("", notice+1*ms, 0), fault("", 0, 1*ms-1))},
	{"another process was out of reach", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 900*ms), hold("b", 2, 5*ms, 60*ms, 70*ms), forgot("", 10*ms, 0), fault("b", 11*ms, ttl))},
	{"the store forgot before the older one asked", Exclusion, 0, tell(
		hold("a", 1, 2*ms, 10*ms, 50*ms), hold("b", 2, 5*ms, 40*ms, 60*ms), forgot("", 0, 2*ms-1))},
	{"the store forgot just when the older one asked", "", 1, tell(
		hold("a", 1, 2*ms, 10*ms, 50*ms), hold("b", 2, 5*ms, 40*ms, 60*ms), forgot("", 0, 2*ms))},
	{"the store forgot just when the younger one entered", "", 1, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 5*ms, 40*ms, 60*ms), forgot("", 40*ms, ms))},
	{"the store forgot when the younger one had entered", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 5*ms, 40*ms, 60*ms), forgot("", 40*ms+1, ms))},
	{"the store forgot another key", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), hold("b", 2, 5*ms, 40*ms, 60*ms), forgot("l", 30*ms, 0))},
	{"the store forgot a lease that had been passed on before the hand asked", "", 1, tell(
		hold("a", 1, 0, 10*ms, 20*ms), passed("a/1", 1, 17*ms, 20*ms, 50*ms), hold("b", 2, 5*ms, 40*ms, 60*ms), forgot("", 15*ms, 0))},
	{"three at once for one forgetting", Exclusion, 1, tell(
		hold("a", 1, 0, 10*ms, 100*ms), hold("b", 2, 0, 40*ms, 110*ms), hold("c", 3, 0, 50*ms, 120*ms), forgot("", 20*ms, 0))},
	{"three at once for two forgettings", "", 2, tell(
		hold("a", 1, 0, 10*ms, 100*ms), hold("b", 2, 0, 40*ms, 110*ms), hold("c", 3, 0, 50*ms, 120*ms), forgot("", 20*ms, 0), forgot("", 45*ms, 0))},
	{"three at once, and the moment that explains one is left to it", "", 2, tell(
		hold("a", 1, 0, 4*ms, 100*ms), hold("b", 2, 25*ms, 40*ms, 110*ms), hold("c", 3, 0, 50*ms, 120*ms), forgot("", 5*ms, 25*ms), forgot("", 20*ms, 0))},
	{"three at once for one forgetting at whatever moment", Exclusion, 1, tell(
		hold("a", 1, 0, 10*ms, 100*ms), hold("b", 2, 0, 40*ms, 110*ms), hold("c", 3, 0, 50*ms, 120*ms), forgot("", 20*ms, 180*ms))},
	{"the store forgot at some moment of a long time", "", 1, tell(
		trust("a", 1, 11*ms, 3*ttl), hold("a", 1, 0, 10*ms, 2*ttl), hold("b", 2, 5*ms, 20*ms, 30*ms), forgot("", 10*ms, 3*ttl))},
	{"who had it from another hand after the younger one entered notices too late", Exclusion + " " + Fences, 0, tell(
		hold("a", 1, 0, 10*ms, 50*ms), passed("a/1", 1, 1*ms, 50*ms, 50*ms+notice+slack+1), hold("b", 2, 5*ms, 45*ms, 600*ms), forgot("k", 40*ms, 10*ms))},
	{"two enter at one instant, and one is not seen again", "", 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), open("b", 2, 5*ms, 10*ms), fault("b", 11*ms, 0))},
	{"two at once after the third has left, who believed after the forgetting", Exclusion, 0, tell(
		hold("a", 1, 0, 10*ms, 21*ms), hold("b", 2, 0, 40*ms, 110*ms), hold("c", 3, 0, 50*ms, 120*ms), forgot("", 20*ms, 0))},
	{"two at once after the third has left, who believed until the forgetting", "", 1, tell(
		hold("a", 1, 0, 10*ms, 20*ms), hold("b", 2, 0, 40*ms, 110*ms), hold("c", 3, 0, 50*ms, 120*ms), forgot("", 20*ms, 0))},
}

var fencesCases = []verdict{
	{"a fence falls", Fences, 0, tell(
		hold("a", 2, 0, 10*ms, 20*ms), hold("b", 1, 5*ms, 30*ms, 40*ms))},
	{"a fence falls below the one before the last", Fences, 0, tell(
		hold("a", 5, 0, 10*ms, 20*ms), hold("b", 7, 5*ms, 20*ms, 30*ms), hold("c", 6, 5*ms, 30*ms, 40*ms))},
	{"a fence falls within a process", Fences, 0, tell(
		hold("a", 2, 0, 10*ms, 20*ms), hold("a/1", 1, 5*ms, 30*ms, 40*ms))},
	{"two processes have one fence", Fences, 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), hold("b", 1, 5*ms, 30*ms, 40*ms), forgot("", 25*ms, 0))},
	{"a process has its fence again after another", Fences, 0, tell(
		hold("a", 1, 0, 10*ms, 20*ms), hold("b", 2, 5*ms, 30*ms, 40*ms), hold("a", 1, 25*ms, 50*ms, 60*ms))},
	{"who was granted first enters last", "", 1, tell(
		hold("a", 1, 0, 40*ms, 50*ms), hold("b", 2, 0, 20*ms, 30*ms), forgot("", 10*ms, 0))},
	{"who was granted first enters last, while the other holds", "", 1, tell(
		hold("a", 1, 0, 25*ms, 50*ms), hold("b", 2, 0, 20*ms, 30*ms), forgot("", 10*ms, 0))},
	{"who was granted first enters last, but was forgotten later", Fences, 0, tell(
		hold("a", 1, 0, 40*ms, 50*ms), hold("b", 2, 0, 20*ms, 30*ms), forgot("", 20*ms+1, 0))},
	{"a fence falls below several, and the store forgot after the first of these", Fences, 0, tell(
		hold("a", 7, 0, 10*ms, 20*ms), hold("b", 9, 0, 30*ms, 40*ms), hold("c", 6, 0, 50*ms, 60*ms), forgot("", 25*ms, 0))},
	{"fences fall after the store forgot", Fences, 0, tell(
		hold("a", 2, 0, 10*ms, 20*ms), hold("b", 1, 0, 30*ms, 40*ms), forgot("", 25*ms, 0))},
}
