/*
 * The store's side of the hand-off protocol, shared by timed.pml and line.pml.
 *
 * Every operation is one script on the server, so it is one atomic step here: the
 * inlines below are only ever called inside a d_step.
 *
 * A token is 1..NT; NONE is "no token". Process p owns CUR(p), the token of its present
 * acquisition, and with K = 2 also OLD(p): a former one that has left a trace (it is
 * the key's owner, or stands in the line, or is named by a message or a request on its way).
 * An acquisition begins when CUR(p) has no trace, if need be after its traces have been
 * renamed to OLD(p). To the protocol a token without a trace is as good as a new one,
 * and so the number of acquisitions has no bound; what is bounded is how many former
 * tokens of one process are around at once (K - 1, and one more while it is idle).
 *
 * A fence is not a number here, because it would grow for ever. All that a new owner
 * changes is which fence is the newest: `seen` says whether the protected resource has
 * met the newest fence, and every copy of a fence (in a lease, a reply, a grant) says
 * whether it is the newest. "The fences of successive owners grow" is then: a lease
 * that begins carries the newest fence, and nobody has used it before.
 *
 * The file that includes this one defines
 *   N          processes                      K          tokens of each
 *   FULL       the lease that a join gives    CLAIM      the short one of a grant
 *   LEASE(d)   the key's deadline is d away   REACHED(t) PUBLISH to t's process
 *   POST(t)    put a grant for t on its way              reaches somebody
 *   STALE()    no copy of a fence is the newest any more
 *   OVER(t)    t's lease is over
 *   MOVE(t, u) rename t to u in all that is on its way
 *   ON_ITS_WAY_FOR(t)  something on its way names t
 */
#define NONE    0
#define NT      (N * K)
#define SLOTS   (N * K + 1)     /* an array by token */
#define PROC(t) (((t) - 1) / K)
#define CUR(p)  ((p) * K + 1)
#define OLD(p)  ((p) * K + K)

/* What a script answers. NOTHING: no answer. */
#define NOTHING 0
#define YES     1       /* join: it is yours */
#define HELD    2       /* join: wait; you stand in the line */
#define OK      3       /* renew, release: done */
#define NOTOWNER 4      /* renew, release: you are not the owner */

byte owner = NONE;              /* whose token is in the key */
chan line = [NT] of { byte };   /* the waiting tokens, first come first */
bool seen = true;               /* the newest fence has been used */

/* Scratch: written before it is read, in the same d_step, so it is no part of the state.
   (A breadth-first search, which finds the shortest counterexample, has no hidden
   variables; there it is.) */
#ifdef BREADTH_FIRST
#define SCRATCH
#else
#define SCRATCH hidden
#endif
SCRATCH byte res;               /* the answer */
SCRATCH byte head;
SCRATCH byte n;

inline free_key()
{
	OVER(owner);
	owner = NONE;
	LEASE(0)
}

inline new_owner(t, d)
{
	owner = t;
	LEASE(d);
#ifndef BUG_SAME_FENCE
	STALE();
	seen = false
#endif
}

inline grant(t)
{
	new_owner(t, CLAIM);
	POST(t)
}

inline take(t)
{
	new_owner(t, FULL);
	res = YES
}

inline stand_in_line(t)
{
	if
	:: line??[eval(t)]           /* keeps its place */
	:: else -> line!t
	fi
}

/* The key goes to the first waiter that PUBLISH reaches; if there is none it is free. */
inline handover()
{
	free_key();
	do
	:: owner != NONE || empty(line) -> break
	:: owner == NONE && nempty(line) ->
		line?head;
		if
#ifdef SLOW_NO_PUBLISH_CHECK
		:: true -> grant(head)
#else
		:: REACHED(head) -> grant(head)
		:: else                  /* it is dead: the next */
#endif
		fi
	od;
	head = 0
}

inline join(t)
{
	res = HELD;
	if
	:: owner == t -> LEASE(FULL); res = YES
	:: owner == NONE ->
#ifdef BUG_FREE_KEY_WAITS
		/* a lease that ran out hands nothing over, and neither does this */
		if
		:: empty(line) -> take(t)
		:: nempty(line) -> stand_in_line(t)
		fi
#else
#ifdef VARIANT_ASKER_TAKES
		/* who asks is alive; only a lease that ran out leaves a line behind */
		if
		:: line??[eval(t)] -> line??eval(t)
		:: else
		fi;
		take(t);
#endif
		do
		:: owner != NONE -> break
		:: owner == NONE && empty(line) -> take(t)
		:: owner == NONE && nempty(line) ->
			line?head;
			if
			:: head == t -> take(t)
			:: head != t && REACHED(head) -> grant(head)
			:: else          /* it is dead: the next */
			fi
		od;
		head = 0;
		if
		:: owner == t
		:: else -> stand_in_line(t)
		fi
#endif
	:: else -> stand_in_line(t)
	fi;
	/* nobody waits for what it has; nobody stands in the line twice (two
	   places would make it longer than NT, and line! would block) */
	assert(owner == NONE || !line??[eval(owner)])
}

inline renew(t)
{
	if
	:: owner == t -> LEASE(FULL); res = OK
	:: else -> res = NOTOWNER
	fi
}

/* Also what a waiter sends that gives up. */
inline release(t)
{
	if
#ifdef BUG_RELEASE_ANY
	:: true -> handover(); res = OK
#else
	:: owner == t -> handover(); res = OK
	:: else ->
		if
		:: line??[eval(t)] -> line??eval(t)
		:: else
		fi;
		if
		:: owner == NONE -> handover()
		:: else
		fi;
		res = NOTOWNER
#endif
	fi
}

/* With the flag SLOW_LEAVE_DROPS this is what a waiter sends that gives up: it does
   not pass on a grant that crossed it. */
inline drop_place(t)
{
	if
	:: line??[eval(t)] -> line??eval(t)
	:: else
	fi;
	res = OK
}

/* Tokens. */
#define TRACE(t) (owner == t || line??[eval(t)] || ON_ITS_WAY_FOR(t))
#define CAN_ACQUIRE(p) (!TRACE(CUR(p)) || !TRACE(OLD(p)))

inline rename(t, u)
{
	if
	:: owner == t -> owner = u
	:: else
	fi;
	n = len(line);
	do
	:: n > 0 -> line?head; line!(head == t -> u : head); n--
	:: n == 0 -> break
	od;
	head = 0;
	MOVE(t, u)
}

/* The acquisition is over. */
inline retire(p)
{
	if
	:: TRACE(CUR(p)) && !TRACE(OLD(p)) -> rename(CUR(p), OLD(p))
	:: else
	fi
}
