package train

// Learner is one built and initialised instance of a model. It is used by one
// goroutine at a time.
type Learner interface {
	// Forward computes the loss of a batch and the gradients of all parameters
	// that are not frozen, in training mode (dropout on, batch norm from the
	// batch). Gradients replace those of the last call and stay until the next.
	// iteration counts from 0 over the life of the learner and is the only
	// source of change in what is random. The loss is the mean over the rows.
	Forward(b Batch, iteration int) (loss float64, err error)
	// Update changes the parameters by the gradients of the last Forward.
	Update(learningRate float64) error
	// Predict computes outputs and loss in inference mode, without gradients
	// and without changing anything. The result is valid until the next call.
	Predict(b Batch) (Prediction, error)
	// Params lists the parameters in a fixed order with unique names. The
	// slices are the learner's own: writing to Value changes the network.
	Params() []Param
}

// Param is a named array that belongs to the network: a weight, a bias, or a
// statistic such as a running mean.
type Param struct {
	// Name is stable across runs and unique within the learner, like "fc1/weight".
	Name  string
	Shape []int
	// Value is the parameter itself.
	Value []float32
	// Grad is the gradient after Forward. Nil for statistics, which are not
	// trained, and for learners that have no gradients.
	Grad []float32
	// Frozen parameters keep their value, bit for bit.
	Frozen bool
	// Decays says that weight decay applies: true for weight matrices, false for
	// biases, normalisation parameters and statistics.
	Decays bool
}

// Prediction is what a learner makes of a batch.
type Prediction struct {
	// Outputs of the network as they are: logits of a classifier, values of a
	// regression.
	Outputs Tensor
	// Probabilities of the classes, [rows, classes] or [rows, positions,
	// classes]; empty for a regression. A classifier with one logit gives two
	// columns.
	Probabilities Tensor
	// Loss is the mean over Weight. The loss of a whole data set is
	// Σ Loss·Weight / Σ Weight.
	Loss float64
	// Weight is what the loss was divided by: rows, positions that count, or
	// the sum of class weights.
	Weight float64
}

// Inspector is a learner that shows the tensors inside. Names are listed in
// the order in which they are computed; the first is "input", the last "output".
type Inspector interface {
	Tensors() []string
	// Activation returns the named tensor as of the last Forward or Predict. It
	// is not a copy and is valid until the next call.
	Activation(name string) (Tensor, error)
}

// Differentiator is a learner that can differentiate its outputs.
type Differentiator interface {
	// Pullback returns the gradient of Σ cotangent·outputs with respect to the
	// named tensor ("input" or another of Inspector.Tensors), in inference
	// mode. Cotangent has the shape of the outputs.
	Pullback(b Batch, cotangent Tensor, name string) (Tensor, error)
}

// Freezer is a learner whose parameters can be frozen. Freezing a layer also
// stops its running statistics.
type Freezer interface {
	// Freeze freezes the parameters for which frozen is true and thaws all others.
	Freeze(frozen func(param string) bool) error
}

// Stater is a learner whose state, beyond its parameters, can be saved and put
// back: the moments of an optimizer and its counter of updates.
type Stater interface {
	// State returns copies of named tensors that, with the values of Params,
	// hold all that later iterations depend on.
	State() []Named
	// SetState puts back what State returned.
	SetState([]Named) error
}

// Named is a tensor with a name, as stored in a file.
type Named struct {
	Name string
	Tensor
}
