/* Runs packed binary networks (.bnn files, as bnas-export writes them) from C, without Python.
 *
 *   bnas_model* model;
 *   bnas_error error;
 *   if (bnas_model_load_file("model.bnn", NULL, &model, &error) != BNAS_OK) puts(error.message);
 *
 * Functions that can fail return a status and describe the failure in `error`, which may be NULL;
 * outputs are left alone then. No exception leaves the library, and it prints nothing. Pointers
 * from a model live as long as the model. docs/c-api.md says more. */
#ifndef BNAS_H
#define BNAS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define BNAS_API __attribute__((visibility("default")))
#else
#define BNAS_API
#endif

/* Raised by every change that a program compiled before would notice; the library's soname. */
#define BNAS_API_VERSION 0

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bnas_status {
  BNAS_OK = 0,
  BNAS_ERROR_ARGUMENT = 1, /* an argument is NULL or out of range */
  BNAS_ERROR_FILE = 2,     /* the file is missing or cannot be read */
  BNAS_ERROR_FORMAT = 3,   /* truncated, damaged, of another version, or no .bnn file */
  BNAS_ERROR_BACKEND = 4,  /* an instruction set or a program that cannot run here */
  BNAS_ERROR_MEMORY = 5,   /* memory ran out */
  BNAS_ERROR_SYSTEM = 6,   /* threads ran out, or another failure of the system */
  BNAS_ERROR_INTERNAL = 7  /* a bug of this library */
} bnas_status;

typedef struct bnas_error {
  bnas_status status;
  char message[500]; /* one line: what was expected, what came, where; cut where it is longer */
} bnas_error;

/* A packed network, ready to run. Any number of threads may use one at a time. */
typedef struct bnas_model bnas_model;

/* What a model is; pointers belong to the model. */
typedef struct bnas_description {
  size_t channels, height, width; /* of the input */
  size_t classes;
  const char* isa;            /* instruction set in use */
  const char* format_version; /* of the file, like "1.2" */
  size_t resize;              /* shorter side of a picture before (height, width) is cut out */
  const double* mean;         /* [channels], of pixels from 0 to 1 */
  const double* std;          /* [channels] */
  size_t weight_bytes;        /* repacked weights */
  size_t table_bytes;         /* tables of windows */
  size_t context_bytes;       /* of every thread that runs, kept until the model is freed */
} bnas_description;

/* BNAS_API_VERSION of the library itself. */
BNAS_API int bnas_api_version(void);

/* Name of the instruction set with that number, the best first, or NULL behind the last one.
 * `*supported`, unless NULL, becomes 1 where this machine can run it and 0 where not. */
BNAS_API const char* bnas_isa(size_t index, int* supported);

/* Read and check a .bnn file. `isa` is the name of an instruction set; NULL takes the environment
 * variable BNAS_ISA, or the best of this machine. The data is not needed afterwards. */
BNAS_API bnas_status bnas_model_load_file(const char* path, const char* isa, bnas_model** model,
                                          bnas_error* error);
BNAS_API bnas_status bnas_model_load_memory(const void* data, size_t size, const char* isa,
                                            bnas_model** model, bnas_error* error);

/* NULL is allowed. No thread may be using the model. */
BNAS_API void bnas_model_free(bnas_model* model);

BNAS_API void bnas_model_describe(const bnas_model* model, bnas_description* description);

/* Name of a class in UTF-8, or NULL where there is none of that number. */
BNAS_API const char* bnas_model_label(const bnas_model* model, size_t index);

/* Compute logits (count, classes) of images (count, channels, height, width), normalised as the
 * model's mean and std say. The images are spread over at most `threads` threads; where there are
 * fewer images than that, all work on one after the other. The answer is the same to the bit for
 * every number of threads. */
BNAS_API bnas_status bnas_model_run(bnas_model* model, const float* images, size_t count,
                                    size_t threads, float* logits, bnas_error* error);

/* Make a picture of the model's size from one of any size: compose it over white, make it grey if
 * the model has one input channel, resize it with antialiased bilinear filtering, and cut out the
 * centre. `pixels` (height, width, bytes): 3 bytes are red, green and blue, 4 have alpha last.
 * `prepared` (model's height, width, channels) is what bnas_model_run_rgb takes. */
BNAS_API bnas_status bnas_model_prepare(const bnas_model* model, const uint8_t* pixels,
                                        size_t height, size_t width, size_t bytes,
                                        uint8_t* prepared, bnas_error* error);

/* The same as bnas_model_run of pictures (count, height, width, channels) of the model's size: red,
 * green and blue bytes, or grey ones, which are normalised on the way. The model must have 3 input
 * channels, or 1. */
BNAS_API bnas_status bnas_model_run_rgb(bnas_model* model, const uint8_t* pixels, size_t count,
                                        size_t threads, float* logits, bnas_error* error);

/* Write the numbers of the `count` most probable classes of one image's logits, best first and
 * of equal logits the first, and their probabilities (either may be NULL). If a logit is NaN so are
 * all probabilities, and classes are in order. Returns how many there are: at most all classes. */
BNAS_API size_t bnas_model_rank(const bnas_model* model, const float* logits, size_t count,
                                size_t* classes, double* probabilities);

#ifdef __cplusplus
}
#endif

#endif
