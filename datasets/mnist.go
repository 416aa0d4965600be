package datasets

import (
	"github.com/actually-robust-training/art/train"
)

// mnistFiles lists training images and labels, then those for the test.
func mnistFiles() [4]File {
	return idxFiles("mnist", []string{
		"https://ossci-datasets.s3.amazonaws.com/mnist/",
		"https://storage.googleapis.com/cvdf-datasets/mnist/",
	}, [4]File{
		{Bytes: 9912422, SHA256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
		{Bytes: 28881, SHA256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
		{Bytes: 1648877, SHA256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
		{Bytes: 4542, SHA256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
	})
}

func fashionFiles() [4]File {
	return idxFiles("fashion-mnist", []string{
		"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
		"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
	}, [4]File{
		{Bytes: 26421880, SHA256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
		{Bytes: 29515, SHA256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
		{Bytes: 4422102, SHA256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
		{Bytes: 5148, SHA256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"},
	})
}

func idxFiles(folder string, urls []string, files [4]File) [4]File {
	for i, name := range []string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"} {
		files[i].Folder, files[i].Name, files[i].Also = folder, name+".gz", []string{name}
		for _, url := range urls {
			files[i].URLs = append(files[i].URLs, url+name+".gz")
		}
	}
	return files
}

// MNIST is the handwritten digits of LeCun, Cortes and Burges (1998), [1, 28,
// 28]: 50,000 for training and 10,000 for validation, a split by class of the
// official training part, and the official 10,000 for the test. Pixels are
// normalised by the training part.
func MNIST(f Files) (train.Data, error) {
	return officialStages("mnist", mnistFiles(), nil, f)
}

// FashionMNIST is the pictures of clothes of Xiao, Rasul and Vollgraf (2017,
// arXiv 1708.07747), [1, 28, 28], with the same numbers of rows and stages as
// [MNIST].
func FashionMNIST(f Files) (train.Data, error) {
	return officialStages("fashion-mnist", fashionFiles(), fashionClasses(), f)
}

// FashionSample is 900 pictures of Fashion-MNIST, 90 of each class, cut from the
// sheet that its authors publish as an illustration: enough for a quick look.
// 720 are for training and 180 for validation. Whether a picture is of the
// official training or test part is not known, so scores on it cannot be
// compared with published ones. The files are sprite900-images-idx3-ubyte.gz and
// sprite900-labels-idx1-ubyte.gz.
func FashionSample(f Files) (train.Data, error) {
	s, err := loadIDX("fashion-mnist-900", fashionClasses(), f,
		File{Folder: "fashion-mnist", Name: "sprite900-images-idx3-ubyte.gz", Also: []string{"sprite900-images-idx3-ubyte"}},
		File{Folder: "fashion-mnist", Name: "sprite900-labels-idx1-ubyte.gz", Also: []string{"sprite900-labels-idx1-ubyte"}})
	if err != nil {
		return train.Data{}, err
	}
	return s.Data(Options{})
}

func fashionClasses() []string {
	return []string{"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"}
}

func officialStages(name string, files [4]File, classes []string, f Files) (train.Data, error) {
	all, err := loadIDX(name, classes, f, files[0], files[1])
	if err != nil {
		return train.Data{}, err
	}
	test, err := loadIDX(name, all.Classes, f, files[2], files[3])
	if err != nil {
		return train.Data{}, err
	}
	training, validation, err := Split(all, 1./6, 0)
	if err != nil {
		return train.Data{}, err
	}
	return Stages{Training: training, Validation: validation, Test: test}.Data()
}

func loadIDX(name string, classes []string, f Files, images, labels File) (Set, error) {
	imagesPath, err := f.Find(images)
	if err != nil {
		return Set{}, err
	}
	labelsPath, err := f.Find(labels)
	if err != nil {
		return Set{}, err
	}
	return IDX{Images: imagesPath, Labels: labelsPath, Classes: classes, Name: name}.Load()
}
