// Package nn is the engine: networks written as short functions, trained fast
// and reproducibly on the CPU. It implements the words of package train
// ([train.Learner] and the optional interfaces beside it) on the kernels of
// internal/kernel; steps and decorators reach it through train alone.
//
//	mlp := nn.Classifier("mlp", func(x nn.Node) nn.Node {
//		return x.Dense("hidden", 16).ReLU().Dense("logits", x.Classes())
//	})
//
// # Shapes and names
//
// The first axis of every tensor counts the rows of a batch and is never
// written: a [Node] has the shape of one row. Pictures are [channels, height,
// width], sequences [positions, features].
//
// Layers with parameters are named by the user. A layer "conv1" has the
// parameters "conv1/weight" and "conv1/bias"; its tensor, for
// [train.Inspector], is "conv1". An activation function that follows a named
// layer belongs to it: tensor "conv1" is the one after the ReLU, and if the
// tensor before it is used elsewhere too, that one is "conv1" and the other
// "conv1/relu". Other layers without a name are called after the named layer
// they follow: "conv1/maxpool". Layers inside a composite [Layer] have its name
// in front: "block1/conv1".
//
// # How a network runs
//
// The build function is run once and yields a list of layers, in which a
// dense layer, convolution, batch norm or max pool absorbs the ReLU that follows it. They
// become a gorgonia graph of operators of our own, which gorgonia
// differentiates symbolically. The nodes of that graph, forward and backward,
// are then run in order on the caller's goroutine, by kernels that use several
// cores. Every node owns its memory, which grows to the largest batch: steady
// training allocates next to nothing, and every tensor is there to be looked at.
// Gradients that nobody needs (of frozen parameters, of the input) are not
// computed.
//
// # Same seed, same bits
//
// Initial weights are functions of seed and parameter name, dropout masks of
// seed, iteration and layer name. Results do not depend on GOMAXPROCS.
package nn
