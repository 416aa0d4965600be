// Package neptunetest is a server for tests that takes runs as a server of Neptune
// 2.x does. It speaks the protocol that the official client speaks, refuses what a
// real server refuses, and keeps what it was sent for tests to look at:
//
//	server := neptunetest.NewServer(t)
//	t.Setenv("NEPTUNE_PROJECT", neptunetest.Project)
//	t.Setenv("NEPTUNE_API_TOKEN", server.Token())
//	// train with loggers.Neptune, or with the official client in another process
//	run := server.Runs()[0]
//
// What no client may do although a server may let it pass, such as showing its key
// where a bearer token belongs, is refused and fails the test; see
// [Server.Violations]. Errors of single operations are answered as a server
// answers them, with status 200; see [Server.Errors]. [Server.Inject] makes trouble.
//
// Where it is not known what a server does, this one is the stricter of the
// possibilities. Not there: artifacts that are hashes only, models and model
// versions, notebooks, remote signals, queries but comparisons joined by AND.
//
// Its neighbour is package loggers, whose logger Neptune is tested against it.
package neptunetest
