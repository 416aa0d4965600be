package datasets

import (
	"github.com/actually-robust-training/art/train"
)

// Digits is "Optical Recognition of Handwritten Digits" by E. Alpaydin and C.
// Kaynak (1998, UCI Machine Learning Repository, doi 10.24432/C50P49, CC BY 4.0):
// [1, 8, 8], where a cell counts the inked pixels of a 4x4 block, here divided
// by 16 and normalised by the training part. The stages have different writers:
// 3,823 digits of 30 writers (optdigits.tra) for training, 1,797 of 13 others
// (optdigits.tes, also known as digits.csv) for validation.
func Digits(f Files) (train.Data, error) {
	const url = "https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/"
	st := Stages{Name: "digits"}
	for _, stage := range []struct {
		set  *Set
		file File
	}{
		{&st.Training, File{
			Name: "optdigits.tra", Also: []string{"optdigits.tra.gz"}, URLs: []string{url + "optdigits.tra"},
			Bytes: 563639, SHA256: "e1b683cc211604fe8fd8c4417e6a69f31380e0c61d4af22e93cc21e9257ffedd",
		}},
		{&st.Validation, File{
			Name: "optdigits.tes", Also: []string{"optdigits.tes.gz", "digits.csv.gz", "digits.csv"}, URLs: []string{url + "optdigits.tes"},
			Bytes: 264712, SHA256: "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
		}},
	} {
		stage.file.Folder = "digits"
		path, err := f.Find(stage.file)
		if err != nil {
			return train.Data{}, err
		}
		set, err := CSV{
			Path: path, Name: "digits", NoHeader: true, Shape: []int{1, 8, 8},
			Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
		}.Load()
		if err != nil {
			return train.Data{}, err
		}
		*stage.set = Map(set, func(_ int, inputs, _ []float32) error {
			for i := range inputs {
				inputs[i] /= 16
			}
			return nil
		})
	}
	return st.Data()
}
