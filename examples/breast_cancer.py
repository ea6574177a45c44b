"""Malignant or benign from 30 measures: one sigmoid at the end, 30-16-1, trained with scikit-learn.

A network of one output says the probability of the second label; above 0.5 that is the answer.

python examples/breast_cancer.py -o tumour.anne
"""

from common import main
from datasets import Data, breast_cancer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def train(data: Data) -> Pipeline:
    network = MLPClassifier((16,), activation="relu", alpha=0.1, max_iter=1000, random_state=0)
    return make_pipeline(StandardScaler(), network).fit(data.x_train, data.y_train)


if __name__ == "__main__":
    main(breast_cancer, train)
