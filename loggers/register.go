package loggers

import "github.com/actually-robust-training/art/record"

func init() {
	for name, open := range map[string]func() record.Sink{
		"console":     func() record.Sink { return &Console{} },
		"csv":         func() record.Sink { return &CSV{} },
		"mlflow":      func() record.Sink { return &MLflow{} },
		"neptune":     func() record.Sink { return &Neptune{} },
		"slog":        func() record.Sink { return &Slog{} },
		"tensorboard": func() record.Sink { return &TensorBoard{} },
		"wandb":       func() record.Sink { return &WandB{} },
	} {
		record.Register(name, open)
	}
}
