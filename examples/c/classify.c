/* Names what is in a picture: classify model.bnn image.rgb
 *
 * image.rgb holds height x width x 3 bytes, red, green, blue, of the size that the model wants; not
 * a JPEG or PNG. Build: cc classify.c $(pkg-config --cflags --libs bnas) -o classify */
#include <bnas.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOP = 5 };

static int complain(const char* what) {
  fprintf(stderr, "error: %s\n", what);
  return 2;
}

/* The bytes of a picture, which the caller frees, or NULL where the file does not hold exactly as
 * many. */
static uint8_t* read_picture(const char* path, size_t size) {
  FILE* file = fopen(path, "rb");
  uint8_t* pixels = file == NULL ? NULL : malloc(size);
  if (pixels != NULL && (fread(pixels, 1, size, file) != size || fgetc(file) != EOF)) {
    free(pixels);
    pixels = NULL;
  }
  if (file != NULL) fclose(file);
  return pixels;
}

static void print_best(const bnas_model* model, const float* logits) {
  size_t classes[TOP];
  double probabilities[TOP];
  const size_t named = bnas_model_rank(model, logits, TOP, classes, probabilities);
  for (size_t i = 0; i < named; ++i) {
    printf("%5.1f%%  %s\n", 100 * probabilities[i], bnas_model_label(model, classes[i]));
  }
}

static int classify(bnas_model* model, const char* path) {
  bnas_description about;
  bnas_error error;
  bnas_model_describe(model, &about);
  if (about.channels != 3) return complain("the model does not look at RGB pictures");
  uint8_t* pixels = read_picture(path, about.height * about.width * 3);
  if (pixels == NULL) {
    fprintf(stderr, "error: %s: expected a file of %zu x %zu x 3 bytes (height, width, RGB)\n",
            path, about.height, about.width);
    return 2;
  }
  float* logits = malloc(about.classes * sizeof *logits);
  if (logits == NULL) {
    free(pixels);
    return complain("memory ran out");
  }
  const bnas_status status = bnas_model_run_rgb(model, pixels, 1, 1, logits, &error);
  if (status == BNAS_OK) print_best(model, logits);
  free(logits);
  free(pixels);
  return status == BNAS_OK ? 0 : complain(error.message);
}

int main(int argc, char** argv) {
  bnas_model* model;
  bnas_error error;
  if (argc != 3) return complain("usage: classify model.bnn image.rgb");
  if (bnas_model_load_file(argv[1], NULL, &model, &error) != BNAS_OK)
    return complain(error.message);
  const int status = classify(model, argv[2]);
  bnas_model_free(model);
  return status;
}
