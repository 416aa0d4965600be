// Package wandbtest is a server for tests that takes runs as Weights & Biases does.
// It speaks the protocol that the official client speaks, refuses what the
// hosted service refuses, and keeps what it was sent for tests to look at:
//
//	server := wandbtest.NewServer(t)
//	t.Setenv("WANDB_BASE_URL", server.URL)
//	t.Setenv("WANDB_API_KEY", server.Key())
//	// train with loggers.WandB, or with the official client in another process
//	run := server.Runs()[0]
//
// GraphQL documents are parsed and executed field by field, so what is not asked
// for is not answered, and fields and arguments that do not exist are errors. Bytes go to a
// second host through signed addresses, as they do to an object store. What a
// client must not do although a server may let it pass, such as a gap between
// offsets or credentials sent to the object store, is refused and fails the test;
// see [Server.Violations]. [Server.Inject] makes trouble.
//
// Not there: sweeps, reports, registries, alerts beyond their acceptance, uploads in
// parts, and the limits on how much a run may log.
//
// Its neighbour is package loggers, whose logger WandB is tested against it.
package wandbtest
