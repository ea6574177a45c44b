// The run that AI-ANNE published (new_beta/ai-anne-new-beta.ipynb, 2025-05-28): IRIS's 20 test rows, start weights of
// its seed 0, online SGD. It prints sums over the rows, with 1e-7 added in the logarithms.
#include "train_nets.h"

int main(void) {
    static const float x[20][4] = {{0.81575475f, -0.21746808f, -0.12904165f, -0.65303909f},
                                   {0.05761837f, 1.59476592f, 0.84485761f, 1.71304456f},
                                   {0.96738203f, 0.68864892f, -0.00730424f, -0.41643072f},
                                   {2.02877297f, 0.38660992f, 2.06223168f, 1.00321947f},
                                   {1.42226386f, 0.99068792f, 1.33180724f, 0.29339437f},
                                   {0.81575475f, 0.99068792f, 1.21006983f, 1.47643620f},
                                   {-1.00377258f, 0.38660992f, -0.49425387f, -0.41643072f},
                                   {0.05761837f, -0.51950708f, -0.00730424f, 0.29339437f},
                                   {0.36087292f, 0.38660992f, 1.08833242f, 1.23982783f},
                                   {0.66412748f, 0.38660992f, 0.35790798f, 1.47643620f},
                                   {0.05761837f, 0.08457092f, 0.84485761f, 0.29339437f},
                                   {-0.70051802f, -0.51950708f, 0.23617057f, 0.53000274f},
                                   {0.20924564f, -0.21746808f, 0.84485761f, 1.00321947f},
                                   {-0.24563619f, 0.08457092f, -0.25077906f, -0.65303909f},
                                   {-2.06516352f, -1.42562408f, -1.95510276f, -1.59947255f},
                                   {-1.15539985f, -1.42562408f, -1.34641572f, -1.36286418f},
                                   {0.05761837f, -1.12358508f, -0.00730424f, -0.41643072f},
                                   {0.20924564f, 0.08457092f, -0.73772869f, -0.88964745f},
                                   {-0.39726347f, -0.51950708f, 0.23617057f, -0.17982236f},
                                   {0.51250020f, 0.08457092f, -0.37251647f, -0.88964745f}};
    static const float y[20] = {0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0};
    static const float parameters[] = {0.344421852f,  0.257954403f, -0.079428419f, -0.241083250f, 0.011274721f,
                                       -0.095065863f, 0.283798589f, -0.196687274f, -0.023403046f, 0.083382039f,
                                       0.408112885f,  0.004686856f, -0.218162156f, 0.255804204f,  0.118368997f,
                                       -0.249493659f, 0.409746256f, 0.482785476f,  0.310217236f};
    static const struct {
        int epoch;
        double loss;
    } published[] = {{1, 12.9150}, {11, 3.9324}, {21, 1.6254}, {31, 1.0154}, {41, 0.7056}, {51, 0.5174},
                     {61, 0.3950}, {71, 0.3116}, {81, 0.2530}, {91, 0.2105}, {100, 0.1813}};
    anne_trainer_t t = {.n_layers = 2,
                        .sizes = {4, 3, 1},
                        .activations = {ANNE_ACTIVATION_relu, ANNE_ACTIVATION_sigmoid},
                        .loss = ANNE_LOSS_binary_cross_entropy,
                        .lr = 0.05f};
    start(&t);
    memcpy(t.parameters, parameters, sizeof parameters);
    float losses[100];
    for (int epoch = 0; epoch < 100; epoch++) {
        anne_trainer_epoch(&t, x[0], y, NULL, 20, NULL, NULL, &losses[epoch]);
    }
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        double loss = 20 * (double)losses[published[i].epoch - 1];
        CHECK(fabs(loss - published[i].loss) <= 0.00006, "epoch %d: %.6f, published %.4f", published[i].epoch, loss,
              published[i].loss);
    }
    for (int i = 0; i < 20; i++) { // published: all 20 right
        float share;
        anne_trainer_predict(&t, x[i], &share, NULL);
        CHECK((share > 0.5f) == (y[i] == 1), "row %d: %g", i, share);
    }
    end(&t);
    return 0;
}
